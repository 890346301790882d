import fs from 'node:fs'
import path from 'node:path'
import { computeSourceRecord, SOURCE_RECORD_FILE } from '#cli/doctor/build.ts'
import { buildFolder, installFolder } from '#host/config'

/**
 * `npm run build`: link each program of ours into one file and the parts it shares with others, so that a start reads fifteen
 * files instead of two hundred (docs/decisions/0010). It records the sources it was made from, so that `dispatch doctor` can
 * say when they have changed. Parts of an earlier build stay for a month: a process that runs from it may still load one.
 */
const programs = [
  'bin/dispatch',
  'bin/processes/runner',
  'bin/processes/judge',
  'bin/processes/deliver',
  'bin/processes/sandbox',
  'notify/channels/desktop-child',
  'notify/test-child',
]

/** They look for files of their own beside them. */
const unbundledPackages = ['@anthropic-ai/sandbox-runtime', 'node-notifier', 'fsevents']

const MONTH_MS = 30 * 24 * 60 * 60_000
const folder = path.join(installFolder, buildFolder)
const newFolder = path.join(folder, `.new-${process.pid}`)

try {
  fs.mkdirSync(newFolder, { recursive: true })
  const sources = await link()
  fs.writeFileSync(
    path.join(newFolder, SOURCE_RECORD_FILE),
    JSON.stringify(computeSourceRecord(installFolder, sources)),
  )
  const names = fs.readdirSync(newFolder)
  // A program comes after the parts that it loads: it may be started at any moment.
  const isProgram = (name: string) => programs.some(program => `${path.basename(program)}.js` === name)
  for (const name of names.toSorted((a, b) => Number(isProgram(a)) - Number(isProgram(b))))
    fs.renameSync(path.join(newFolder, name), path.join(folder, name))
  for (const name of fs.readdirSync(folder).filter(name => !names.includes(name))) {
    const file = path.join(folder, name)
    if (Date.now() - fs.statSync(file).mtimeMs > MONTH_MS) fs.rmSync(file, { recursive: true })
  }
} catch (error) {
  process.stderr.write(`not built: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
} finally {
  fs.rmSync(newFolder, { recursive: true, force: true })
}

/** Link the programs into the fresh folder. Answers the files that they come from. */
async function link(): Promise<string[]> {
  const { build } = await import('esbuild')
  const { metafile } = await build({
    metafile: true,
    absWorkingDir: installFolder,
    entryPoints: programs.map(name => `${name}.ts`),
    outdir: newFolder,
    entryNames: '[name]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    mainFields: ['module', 'main'],
    external: unbundledPackages,
    logLevel: 'warning',
    // What was written for CommonJS asks for Node's own modules this way.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module';const require = requireOf(import.meta.url);",
    },
  })
  const own = Object.keys(metafile.inputs).filter(name => !/(^|\/)node_modules\//.test(name))
  return [...own, 'scripts/build.ts', 'package-lock.json'].toSorted()
}
