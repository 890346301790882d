import fs from 'node:fs'
import path from 'node:path'
import type { Plugin } from 'esbuild'
import { commandTable } from '#cli/commands/index.ts'
import { buildFolder, installFolder, writeSourceRecord } from '#host/config'
import { openFaces } from './open-faces.ts'

/**
 * `npm run build`: bundle each program into one file and the chunks that it loads later, so that a start reads a few files
 * instead of two hundred (docs/decisions/0010, 0061). It records its sources, so that `dispatch doctor` can report a build
 * that is older than they are. Chunks of an earlier build stay for a month: a process that runs from it may still load one.
 */
const programs: Record<string, string> = {
  // The same program twice: what starts a session does not read what the other commands have in common.
  task: 'bin/dispatch',
  commands: 'bin/dispatch',
  runner: 'bin/processes/runner',
  judge: 'bin/processes/judge',
  deliver: 'bin/processes/deliver',
  sandbox: 'bin/processes/sandbox',
  'desktop-child': 'notify/channels/desktop-child',
  'test-child': 'notify/test-child',
}

/** These packages look for their own files beside them. */
const unbundledPackages = ['node-notifier', 'fsevents']

/** Of sandbox-runtime only the whole does; parts of it are bundled. */
const unbundleRuntime: Plugin = {
  name: 'unbundle-runtime',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^@anthropic-ai\/sandbox-runtime$/ }, ({ path }) => ({ path, external: true })),
}

/** What the library asks other programs while a sandbox starts, dispatch answers itself. */
const replaceLibraryParts: Plugin = {
  name: 'replace-library-parts',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/utils\/(which|ripgrep)\.js$/ }, ({ path: file, importer }) =>
      importer.includes('/sandbox-runtime/dist/sandbox/')
        ? { path: path.join(installFolder, 'host/sandbox/library-parts', path.basename(file).replace('.js', '.ts')) }
        : undefined,
    ),
}

/** esbuild drops what no program uses of `* as z`, but of the object `z` nothing: 570 KB in every program, messages in 60 languages. */
const shrinkZod = (source: string) => source.replace("import { z } from 'zod'", "import * as z from 'zod'")

const rewriteSources: Plugin = {
  name: 'rewrite-sources',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: openFaces(path, shrinkZod(fs.readFileSync(path, 'utf8'))),
      loader: 'ts',
    })),
}

/** The program for a task has no other command. */
const leaveOutCommands: Plugin = {
  name: 'leave-out-commands',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/[a-z-]+\.ts$/ }, ({ path: file, kind, resolveDir }) => {
      const isCommand = kind.startsWith('dynamic') && path.relative(installFolder, resolveDir) === 'cli/commands'
      return isCommand && file !== './task.ts' ? { path: './commands.js', external: true } : undefined
    }),
}

const MONTH_MS = 30 * 24 * 60 * 60_000
const folder = path.join(installFolder, buildFolder)
const newFolder = path.join(folder, `.new-${process.pid}`)

try {
  fs.mkdirSync(newFolder, { recursive: true })
  writeSourceRecord(newFolder, installFolder, await bundle())
  const names = fs.readdirSync(newFolder)
  // A program comes after the chunks that it loads: it may be started at any moment.
  const rank = (name: string) =>
    name === 'dispatch.js' ? 2 : Object.hasOwn(programs, path.basename(name, '.js')) ? 1 : 0
  for (const name of names.toSorted((a, b) => rank(a) - rank(b)))
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
  fs.writeFileSync(path.join(newFolder, 'dispatch.js'), renderDispatch())
  const inputs = await Promise.all(Object.entries(programs).map(([name, file]) => bundleProgram(name, file)))
  const sources = inputs.flat().filter(name => !/(^|\/)node_modules\//.test(name))
  return [...new Set([...sources, 'scripts/build.ts', 'scripts/open-faces.ts', 'package-lock.json'])].toSorted()
}

/** Bundle one program by itself: chunks that programs share would be many more and smaller. Returns all that it is made from. */
async function bundleProgram(name: string, file: string): Promise<string[]> {
  const { build } = await import('esbuild')
  const { metafile } = await build({
    metafile: true,
    absWorkingDir: installFolder,
    entryPoints: { [name]: `${file}.ts` },
    outdir: newFolder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    mainFields: ['module', 'main'],
    external: unbundledPackages,
    plugins: [unbundleRuntime, replaceLibraryParts, rewriteSources, ...(name === 'task' ? [leaveOutCommands] : [])],
    logLevel: 'warning',
    // Packages written for CommonJS load Node's own modules with require().
    banner: {
      js: "import { createRequire as requireOf } from 'node:module';const require = requireOf(import.meta.url);",
    },
  })
  return Object.keys(metafile.inputs)
}

/** The text of `dispatch.js`: whatever does not begin with the name of a command is a task. Pure. */
function renderDispatch(): string {
  const names = ['help', '--help', '-h', '--version', ...commandTable.commands.map(({ name }) => name)]
  return [
    `const names = new Set(${JSON.stringify(names)})`,
    'const [, , first] = process.argv',
    "await import(first === undefined || names.has(first) ? './commands.js' : './task.js')",
    '',
  ].join('\n')
}
