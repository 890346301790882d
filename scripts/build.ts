import fs from 'node:fs'
import { builtinModules } from 'node:module'
import path from 'node:path'
import type { Plugin } from 'rolldown'
import { commandTable } from '#cli/commands/index.ts'
import { buildFolder, installFolder, writeSourceRecord } from '#host/config'

/**
 * `npm run build`: bundle each program into one file and the chunks that it loads later, so that a start reads a few files
 * instead of two hundred (docs/decisions/0010, 0061, 0067). It records its sources, so that `dispatch doctor` can report a build
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
const isUnbundled = (name: string) => unbundledPackages.includes(name) || name === '@anthropic-ai/sandbox-runtime'

/**
 * Each file that is loaded costs a start about half a millisecond. So what a start always loads is one file, what nearly every part of
 * a program loads is another, and what several parts load is a third, though each then loads some that it does not use. These groups make
 * no circle: what a source imports is loaded by at least as many parts as the source.
 */
const chunkGroups = [
  { name: 'start', tags: ['$initial' as const], priority: 2 },
  { name: 'most', minShareCount: 50, priority: 1 },
  { name: 'several', minShareCount: 8 },
]

/** What the library asks other programs while a sandbox starts, dispatch answers itself. */
const replaceLibraryParts: Plugin = {
  name: 'replace-library-parts',
  resolveId(id, importer) {
    if (!/\/utils\/(which|ripgrep)\.js$/.test(id) || !importer?.includes('/sandbox-runtime/dist/sandbox/')) return null
    return path.join(installFolder, 'host/sandbox/library-parts', path.basename(id).replace('.js', '.ts'))
  },
}

/** A bundler drops what no program uses of `* as z`, but of the object `z` nothing: messages in 60 languages. */
const shrinkZod: Plugin = {
  name: 'shrink-zod',
  transform: code => code.replace("import { z } from 'zod'", "import * as z from 'zod'"),
}

/** The program for a task has no other command. */
const leaveOutCommands: Plugin = {
  name: 'leave-out-commands',
  resolveId(id, importer, { kind }) {
    const folder = path.relative(installFolder, path.dirname(importer ?? ''))
    const isCommand = kind.startsWith('dynamic') && folder === 'cli/commands' && /^\.\/[a-z-]+\.ts$/.test(id)
    return isCommand && id !== './task.ts' ? { id: './commands.js', external: true } : null
  },
}

/**
 * Node's own modules come without `import`: for that, Node reads every name of each, also those for which it then loads more of itself.
 */
const readBuiltinModules: Plugin = {
  name: 'read-builtin-modules',
  renderChunk: code => code.replace(BUILTIN_IMPORT, renderBuiltin),
}

const BUILTIN_IMPORT = new RegExp(
  `^import (?:([\\w$]+)(?:, )?)?(?:\\{([^}]*)\\}|\\* as ([\\w$]+))? from "(?:node:)?(${builtinModules.join('|')}|sqlite)";$`,
  'gm',
)

/** bottleneck has a part for redis, which dispatch never calls. What one command loads later, another may load at its start. */
const harmlessLogs = new Set(['EVAL', 'INEFFECTIVE_DYNAMIC_IMPORT'])

const isOwnSource = (file: string) =>
  file.startsWith(`${installFolder}/`) && !file.startsWith(`${installFolder}/node_modules/`)

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
  const inputs: string[] = []
  for (const [name, file] of Object.entries(programs)) inputs.push(...(await bundleProgram(name, file)))
  const sources = inputs.filter(isOwnSource).map(file => path.relative(installFolder, file))
  return [...new Set([...sources, 'scripts/build.ts', 'package-lock.json'])].toSorted()
}

/** Bundle one program by itself: chunks that programs share would be many more and smaller. Returns all that it is made from. */
async function bundleProgram(name: string, file: string): Promise<string[]> {
  const { rolldown } = await import('rolldown')
  const entry = path.join(installFolder, `${file}.ts`)
  const bundler = await rolldown({
    cwd: installFolder,
    input: { [name]: entry },
    platform: 'node',
    tsconfig: false,
    resolve: { mainFields: ['module', 'main'] },
    external: isUnbundled,
    preserveEntrySignatures: false,
    // A source that a program names, but from which it uses nothing, does nothing: faces bring only what is used of them.
    treeshake: { moduleSideEffects: file => (isOwnSource(file) ? false : undefined) },
    plugins: [replaceLibraryParts, shrinkZod, readBuiltinModules, ...(name === 'task' ? [leaveOutCommands] : [])],
    onLog: (_, { code, message }) => {
      if (!harmlessLogs.has(code ?? '')) throw new Error(message)
    },
  })
  await bundler.write({
    dir: newFolder,
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    // Not the entry: it waits for what it loads later, which must not wait for the entry.
    codeSplitting: { groups: chunkGroups.map(group => ({ ...group, test: (id: string) => id !== entry })) },
  })
  const files = await bundler.watchFiles
  await bundler.close()
  return files
}

/** The same names of one of Node's own modules, read from it. */
function renderBuiltin(_: string, whole = '', names = '', namespace = '', module = ''): string {
  const wanted = [whole, namespace, names && `{${names.replaceAll(' as ', ': ')}}`].filter(Boolean)
  return wanted.map(each => `const ${each} = process.getBuiltinModule("node:${module}");`).join(' ')
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
