import fs from 'node:fs'
import path from 'node:path'
import { readIfPresent } from '../fs/files.ts'
import { sha256 } from '../hash.ts'
import { createNamedKind, type ToolchainKind, toolchainKinds } from './known-tools.ts'
import type { Toolchains } from './toolchains.ts'

/**
 * What the toolchains are now, as 16 digits: another version, an update or another choice of the user is another identity. With
 * commands, only the toolchains count whose programs they name; where no known program does, as in `make`, all count.
 */
export function identifyToolchains({ variables, found }: Toolchains, home: string, commands?: string[]): string {
  const isUsed = createUseTest(commands)
  const facts = found.flatMap(({ name, folder, homeFiles }) => {
    const kind = toolchainKinds.find(other => other.name === name) ?? createNamedKind(name)
    if (!isUsed(kind)) return []
    const { state } = kind
    const files = expandState(folder, state).map(file => [path.relative(folder, file), describeFile(file)])
    return [[name, folder, files, homeFiles.map(file => readIfPresent(path.join(home, file)))]]
  })
  const { PATH: _searchPath, ...choices } = variables
  return sha256(JSON.stringify([choices, facts])).slice(0, 16)
}

/** The files that these patterns match in a folder; a step `*` is any name. */
export function expandState(folder: string, patterns: string[]): string[] {
  return patterns.flatMap(pattern =>
    pattern
      .split('/')
      .reduce(
        (files, step) =>
          files.flatMap(file => (step === '*' ? listEntries(file) : [step]).map(name => path.join(file, name))),
        [folder],
      )
      .filter(file => readStat(file) !== undefined),
  )
}

/** The names in a folder, sorted; none if it cannot be read. */
export function listEntries(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort().slice(0, MAX_NAMES)
  } catch {
    return []
  }
}

// --- internal ---

const MAX_NAMES = 500

function createUseTest(commands: string[] | undefined): (kind: ToolchainKind) => boolean {
  const lines = commands?.map(command => command.match(/[\w.+-]+/g) ?? []) ?? [[]]
  const isNamed = ({ programs }: ToolchainKind, words: string[]) => words.some(word => programs.test(word))
  const specific = toolchainKinds.filter(kind => kind.programs.source !== '.')
  if (lines.some(words => !specific.some(kind => isNamed(kind, words)))) return () => true
  return kind => lines.some(words => isNamed(kind, words))
}

function describeFile(file: string): (string | number)[] {
  const stat = readStat(file)
  if (stat === undefined) return []
  return stat.isSymbolicLink() ? [fs.readlinkSync(file)] : [stat.mtimeMs, stat.isFile() ? stat.size : 0]
}

/** Undefined for what is not there or cannot be read. */
function readStat(file: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(file)
  } catch {
    return undefined
  }
}
