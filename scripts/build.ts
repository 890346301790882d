import fs from 'node:fs'
import path from 'node:path'
import type { Plugin } from 'esbuild'
import { buildFolder, installFolder, writeSourceRecord } from '#host/config'

/**
 * `npm run build`: bundle each program into one file and the chunks it shares with others, so that a start reads fifteen
 * files instead of two hundred (docs/decisions/0010). It records its sources, so that `dispatch doctor` can report a build
 * that is older than they are. Chunks of an earlier build stay for a month: a process that runs from it may still load one.
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

/** These packages look for their own files beside them. */
const unbundledPackages = ['node-notifier', 'fsevents']

/** Of sandbox-runtime only the whole does; parts of it are bundled. */
const unbundleRuntime: Plugin = {
  name: 'unbundle-runtime',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^@anthropic-ai\/sandbox-runtime$/ }, ({ path }) => ({ path, external: true })),
}

/** esbuild drops what nobody uses of `* as z`, but of the object `z` nothing: 570 KB in every program, messages in 60 languages. */
const shrinkZod: Plugin = {
  name: 'shrink-zod',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: fs.readFileSync(path, 'utf8').replace("import { z } from 'zod'", "import * as z from 'zod'"),
      loader: 'ts',
    })),
}

const MONTH_MS = 30 * 24 * 60 * 60_000
const folder = path.join(installFolder, buildFolder)
const newFolder = path.join(folder, `.new-${process.pid}`)

try {
  fs.mkdirSync(newFolder, { recursive: true })
  writeSourceRecord(newFolder, installFolder, await bundle())
  const names = fs.readdirSync(newFolder)
  // A program comes after the chunks that it loads: it may be started at any moment.
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

/** Bundle the programs into the new folder. Returns the source files. */
async function bundle(): Promise<string[]> {
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
    plugins: [unbundleRuntime, shrinkZod],
    logLevel: 'warning',
    // Packages written for CommonJS load Node's own modules with require().
    banner: {
      js: "import { createRequire as requireOf } from 'node:module';const require = requireOf(import.meta.url);",
    },
  })
  const sources = Object.keys(metafile.inputs).filter(name => !/(^|\/)node_modules\//.test(name))
  return [...sources, 'scripts/build.ts', 'package-lock.json'].toSorted()
}
