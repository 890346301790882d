import fs from 'node:fs'
import os from 'node:os'
import { checkEnvironment, oneLine, programOf, run } from '../host/index.ts'

/**
 * The programs of this machine that a command names, with the version that each says of itself: `{ python3: 'Python 3.11.7' }`.
 * Only programs whose way to say it is known are asked, each once as long as its file stays the same; what a project brings
 * along is named by its lock files instead.
 */
export async function toolsIn(command: string): Promise<Record<string, string>> {
  const words = new Set(command.match(/(?<![\w./-])[a-z][a-z0-9+.]*(?![\w/-])/g))
  const tools = [...words].sort().filter(word => asks.has(word) && programOf(word) !== '')
  return Object.fromEntries(await Promise.all(tools.map(async tool => [tool, await versionOf(tool)] as const)))
}

/** `linux 6.18.0 x64`. */
export const machine = `${os.platform()} ${os.release()} ${os.arch()}`

// --- internal ---

const long =
  'awk bash bundle bun cargo clang cmake composer deno dotnet g++ gcc git go gradle grep jq make mvn node npm npx perl php pip pip3 pnpm pytest python python3 rspec ruby rustc sed swift tsc uv yarn'
const other: Record<string, string[]> = { java: ['-version'], javac: ['-version'], go: ['version'], lua: ['-v'] }
const asks = new Map<string, string[]>([
  ...long.split(' ').map(name => [name, ['--version']] as [string, string[]]),
  ...Object.entries(other),
])

const known = new Map<string, Promise<string>>()

function versionOf(tool: string): Promise<string> {
  const file = programOf(tool)
  const program = `${tool} ${file} ${fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs}`
  const asked = known.get(program) ?? ask(tool)
  known.set(program, asked)
  return asked
}

async function ask(tool: string): Promise<string> {
  const ran = await run(tool, asks.get(tool) ?? [], {
    cwd: os.tmpdir(),
    env: checkEnvironment(os.tmpdir()),
    deadline: 5000,
  })
  return oneLine(`${ran.stdout}\n${ran.stderr}`.trim().split('\n')[0] ?? '', 100) || 'it does not say'
}
