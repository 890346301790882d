import fs from 'node:fs'
import path from 'node:path'
import { built, install } from '../host/index.ts'

/**
 * `npm run build`: link each program of ours into one file and the parts it shares with others, so that a start reads fifteen
 * files instead of two hundred. The sources stay the truth: `bin/dispatch` runs them as they are whenever one has changed
 * since, and where there is no build (docs/decisions/0010). Nothing of an earlier build is taken away for a month: what runs
 * from it may still want a part of it.
 */
const folder = path.join(install, built)
const names = [
  'bin/dispatch',
  'bin/runner',
  'bin/judge',
  'bin/deliver',
  'bin/sandboxed',
  'notify/banner',
  'notify/proof',
]
const month = 30 * 24 * 60 * 60_000

/** These look for files of their own beside them. */
const apart = ['@anthropic-ai/sandbox-runtime', 'node-notifier', 'fsevents']

const stamp = path.join(folder, 'stamp')
fs.rmSync(stamp, { force: true })
const written = await link().catch(error => {
  process.stderr.write(`not built, so a start takes twice as long: ${error.message}\n`)
})
if (written) {
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name)
    if (!written.has(name) && Date.now() - fs.statSync(file).mtimeMs > month) fs.rmSync(file)
  }
  fs.writeFileSync(stamp, '')
}

/** The names of the files that make up this build. */
async function link(): Promise<Set<string>> {
  const { build } = await import('esbuild')
  const { metafile } = await build({
    absWorkingDir: install,
    entryPoints: names.map(name => `${name}.ts`),
    outdir: folder,
    entryNames: '[name]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    mainFields: ['module', 'main'],
    external: apart,
    metafile: true,
    logLevel: 'warning',
    // What was written for CommonJS asks for Node's own modules this way.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module';const require = requireOf(import.meta.url);",
    },
  })
  return new Set(Object.keys(metafile.outputs).map(name => path.basename(name)))
}
