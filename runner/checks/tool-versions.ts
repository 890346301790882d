import fs from 'node:fs'
import os from 'node:os'
import { buildCheckEnvironment } from '#host/config'
import { findProgram, runProgram } from '#host/exec.ts'
import { toOneLine } from '#host/text.ts'

/** `linux 6.18.0 x64`. */
export const machineDescription = `${os.platform()} ${os.release()} ${os.arch()}`

const VERSION_TIMEOUT_MS = 5000

/**
 * The programs of this machine in a command, with their versions: `{ python3: 'Python 3.11.7' }`. Only programs with a known version
 * option are asked, and again only when their file changes. Programs that a project installs are covered by its lock files.
 */
export async function readToolVersions(command: string): Promise<Record<string, string>> {
  const words = new Set(command.match(/(?<![\w./-])[a-z][a-z0-9+.]*(?![\w/-])/g))
  const tools = [...words].sort().filter(word => versionArguments.has(word) && findProgram(word) !== '')
  return Object.fromEntries(await Promise.all(tools.map(async tool => [tool, await readVersion(tool)] as const)))
}

// --- internal ---

const longOptionTools =
  'awk bash bundle bun cargo clang cmake composer deno dotnet g++ gcc git go gradle grep jq make mongod mvn mysqld node npm npx perl php pip pip3 pnpm postgres pytest python python3 redis-server rspec ruby rustc sed swift tsc uv yarn'
const versionArguments = new Map([
  ...longOptionTools.split(' ').map(name => [name, '--version'] as const),
  ['java', '-version'],
  ['javac', '-version'],
  ['go', 'version'],
  ['lua', '-v'],
])

const versions = new Map<string, Promise<string>>()

function readVersion(tool: string): Promise<string> {
  const file = findProgram(tool)
  const key = `${tool} ${file} ${fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs}`
  const version = versions.get(key) ?? runVersionCommand(tool)
  versions.set(key, version)
  return version
}

async function runVersionCommand(tool: string): Promise<string> {
  const run = await runProgram(tool, [versionArguments.get(tool) ?? ''], {
    cwd: os.tmpdir(),
    env: buildCheckEnvironment(os.tmpdir()),
    timeoutMs: VERSION_TIMEOUT_MS,
  })
  return toOneLine(`${run.stdout}\n${run.stderr}`.trim().split('\n')[0] ?? '', 100) || 'unknown'
}
