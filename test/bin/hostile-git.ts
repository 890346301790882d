import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

/** A repository that means harm (C10). `arm` makes one of an innocent clone; what it runs leaves `mark`. */
export interface HostileRepository {
  name: string
  arm(place: HostileRepositoryPaths): void
  /** A line of plain git that fires it in the same place; without one, why git itself has nothing to run. */
  trigger?: string
  silentReason?: string
}

export interface HostileRepositoryPaths {
  /** The repository: a work tree with `.git`. */
  folder: string
  /** The file that shows that something was run, or reached. */
  markFile: string
  /** A folder beside the repository. */
  siblingFolder: string
}

/** What a repository has before it means harm: attributes that name every kind of driver. */
export const innocentFiles: Record<string, string> = {
  'a.txt': 'one\n',
  'b.txt': 'two\n',
  'CLAUDE.md': 'Be kind.\n',
  'package.json': '{"name":"p","version":"1.0.0"}\n',
  '.gitattributes': '*.txt filter=evil diff=evil merge=evil\n',
}

const env = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'x',
  GIT_AUTHOR_EMAIL: 'x@localhost',
  GIT_COMMITTER_NAME: 'x',
  GIT_COMMITTER_EMAIL: 'x@localhost',
}

/** Plain git, before anything is armed. */
export function runPlainGit(cwd: string, words: string[], input?: string | Uint8Array): string {
  return execFileSync('git', words, { cwd, env, input: input ?? '', stdio: ['pipe', 'pipe', 'ignore'] })
    .toString()
    .trim()
}

/** A line of shell with plain git, as the person or the agent in the folder would run it. */
export function runPlainShell(cwd: string, line: string): void {
  try {
    execFileSync('/bin/sh', ['-c', line], { cwd, env, stdio: 'ignore', timeout: 10_000 })
  } catch {} // It may well fail; what counts is what it left.
}

/** Lines at the end of the repository’s own configuration. */
export function appendGitConfig({ folder }: HostileRepositoryPaths, lines: string): void {
  fs.appendFileSync(path.join(folder, '.git/config'), lines)
}

export function writeWorkFile({ folder }: HostileRepositoryPaths, name: string, text: string): void {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
  fs.writeFileSync(path.join(folder, name), text)
}

export function commitAll({ folder }: HostileRepositoryPaths): void {
  runPlainGit(folder, ['commit', '-q', '-m', 'armed'])
}

/** The file of an object; the clone must hold it loose. */
export function findLooseObject({ folder }: HostileRepositoryPaths, name: string): string {
  const hash = runPlainGit(folder, ['rev-parse', name])
  return path.join(folder, '.git/objects', hash.slice(0, 2), hash.slice(2))
}

export const buildFsmonitorConfig = ({ markFile }: HostileRepositoryPaths) =>
  `[core]\n\tfsmonitor = "touch ${markFile}; false"\n`
