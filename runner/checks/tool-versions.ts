import fs from 'node:fs'
import os from 'node:os'
import { buildCheckEnvironment } from '#host/config'
import { findProgram, runProgram } from '#host/exec.ts'
import { toOneLine } from '#host/text.ts'

/**
 * The programs of this machine that a command names, with the version that each says of itself: `{ python3: 'Python 3.11.7' }`.
 * Only programs whose way to say it is known are asked, each once as long as its file stays the same; what a project brings
 * along is named by its lock files instead.
 */
export async function readToolVersions(command: string): Promise<Record<string, string>> {
  const words = new Set(command.match(/(?<![\w./-])[a-z][a-z0-9+.]*(?![\w/-])/g))
  const tools = [...words].sort().filter(word => versionArguments.has(word) && findProgram(word) !== '')
  return Object.fromEntries(await Promise.all(tools.map(async tool => [tool, await readVersion(tool)] as const)))
}

/** `linux 6.18.0 x64`. */
export const machineDescription = `${os.platform()} ${os.release()} ${os.arch()}`

// --- internal ---

const longOptionTools =
  'awk bash bundle bun cargo clang cmake composer deno dotnet g++ gcc git go gradle grep jq make mvn node npm npx perl php pip pip3 pnpm pytest python python3 rspec ruby rustc sed swift tsc uv yarn'
const otherVersionArguments: Record<string, string[]> = {
  java: ['-version'],
  javac: ['-version'],
  go: ['version'],
  lua: ['-v'],
}
const versionArguments = new Map<string, string[]>([
  ...longOptionTools.split(' ').map(name => [name, ['--version']] as [string, string[]]),
  ...Object.entries(otherVersionArguments),
])

const versionCache = new Map<string, Promise<string>>()

function readVersion(tool: string): Promise<string> {
  const file = findProgram(tool)
  const program = `${tool} ${file} ${fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs}`
  const asked = versionCache.get(program) ?? runVersionCommand(tool)
  versionCache.set(program, asked)
  return asked
}

async function runVersionCommand(tool: string): Promise<string> {
  const ran = await runProgram(tool, versionArguments.get(tool) ?? [], {
    cwd: os.tmpdir(),
    env: buildCheckEnvironment(os.tmpdir()),
    timeoutMs: 5000,
  })
  return toOneLine(`${ran.stdout}\n${ran.stderr}`.trim().split('\n')[0] ?? '', 100) || 'it does not say'
}
