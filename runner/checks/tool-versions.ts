import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildCheckEnvironment } from '#host/config'
import { findProgram, runProgram } from '#host/exec.ts'
import { deleteFolder } from '#host/fs'
import { toOneLine } from '#host/text.ts'
import { identifyToolchains, type Toolchains } from '#host/toolchains'

/** `linux 6.18.0 x64`. */
export const machineDescription = `${os.platform()} ${os.release()} ${os.arch()}`

const VERSION_TIMEOUT_MS = 5000

/**
 * The programs of this machine in a command, with their versions: `{ python3: 'Python 3.11.7' }`. Only programs with a known version
 * option are asked, and again only when their file changes. Programs that a project installs are covered by its lock files. A version
 * manager may run another version for a repository than the one that is asked here, so `toolchains` stands for all that it has.
 */
export async function readToolVersions(command: string, toolchains: Toolchains): Promise<Record<string, string>> {
  const words = new Set(command.match(/(?<![\w./-])[a-z][a-z0-9+.]*(?![\w/-])/g))
  const tools = [...words].sort().filter(word => versionArguments.has(word))
  const identity = identifyToolchains(toolchains, os.homedir(), [command])
  const read = async (tool: string) => [tool, await readVersion(tool, toolchains.variables, identity)] as const
  const known = (await Promise.all(tools.map(read))).filter(([, version]) => version !== '')
  return { ...Object.fromEntries(known), ...(toolchains.found.length > 0 && { toolchains: identity }) }
}

// --- internal ---

const longOptionTools =
  'awk bash bundle bun cargo clang cmake composer deno dotnet elixir g++ gcc git go gradle grep jq make mix mongod mvn mysqld node npm npx perl php pip pip3 pnpm postgres pytest python python3 redis-server rspec ruby rustc sed swift tsc uv yarn'
const versionArguments = new Map([
  ...longOptionTools.split(' ').map(name => [name, '--version'] as const),
  ['java', '-version'],
  ['javac', '-version'],
  ['go', 'version'],
  ['lua', '-v'],
])

const versions = new Map<string, Promise<string>>()

/** The first line that a program prints for its version; empty if it is not on PATH. */
function readVersion(tool: string, variables: Record<string, string>, identity: string): Promise<string> {
  const file = findProgram(tool, variables['PATH'] ?? buildCheckEnvironment('')['PATH'])
  if (file === '') return Promise.resolve('')
  const key = JSON.stringify([tool, file, fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs, identity])
  const version = versions.get(key) ?? runVersionCommand(tool, variables)
  versions.set(key, version)
  return version
}

/**
 * A version manager reads what lies in the current folder and above, so that is the one above all. The home is empty: in a folder
 * that others write, such a file could choose the version, or what runs.
 */
async function runVersionCommand(tool: string, variables: Record<string, string>): Promise<string> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-home-'))
  try {
    const run = await runProgram(tool, [versionArguments.get(tool) ?? ''], {
      cwd: '/',
      env: { ...buildCheckEnvironment(home), ...variables },
      timeoutMs: VERSION_TIMEOUT_MS,
    })
    return toOneLine(`${run.stdout}\n${run.stderr}`.trim().split('\n')[0] ?? '', 100) || 'unknown'
  } finally {
    deleteFolder(home)
  }
}
