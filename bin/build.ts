import fs from 'node:fs'
import path from 'node:path'
import { built, install } from '../host/index.ts'

/**
 * `npm run build`: link each program of ours into one file and the parts it shares with others, so that a start reads fifteen
 * files instead of two hundred. The sources stay the truth: `bin/dispatch` runs them as they are whenever one has changed
 * since, and where there is no build (docs/decisions/0010). Nothing of an earlier build is taken away for a month: what runs
 * from it may still want a part of it.
 */
const programs = [
  'bin/dispatch',
  'bin/runner',
  'bin/judge',
  'bin/deliver',
  'bin/sandboxed',
  'notify/banner',
  'notify/proof',
]

/** They look for files of their own beside them. */
const apart = ['@anthropic-ai/sandbox-runtime', 'node-notifier', 'fsevents']

const month = 30 * 24 * 60 * 60_000
const folder = path.join(install, built)
const fresh = path.join(folder, `.new-${process.pid}`)
const [stamp, begun] = [path.join(folder, 'stamp'), path.join(fresh, 'stamp')]

try {
  fs.mkdirSync(fresh, { recursive: true })
  fs.writeFileSync(begun, '') // Its time is that of the beginning: a source that changes meanwhile is newer.
  await link()
  fs.rmSync(stamp, { force: true })
  const names = fs.readdirSync(fresh).filter(name => name !== 'stamp')
  for (const name of names) fs.renameSync(path.join(fresh, name), path.join(folder, name))
  for (const name of fs.readdirSync(folder).filter(name => !names.includes(name))) {
    const file = path.join(folder, name)
    if (Date.now() - fs.statSync(file).mtimeMs > month) fs.rmSync(file, { recursive: true })
  }
  fs.renameSync(begun, stamp)
} catch (error) {
  process.stderr.write(`not built, so a start takes longer: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
} finally {
  fs.rmSync(fresh, { recursive: true, force: true })
}

async function link(): Promise<void> {
  const { build } = await import('esbuild')
  await build({
    absWorkingDir: install,
    entryPoints: programs.map(name => `${name}.ts`),
    outdir: fresh,
    entryNames: '[name]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    mainFields: ['module', 'main'],
    external: apart,
    logLevel: 'warning',
    // What was written for CommonJS asks for Node's own modules this way.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module';const require = requireOf(import.meta.url);",
    },
  })
}
