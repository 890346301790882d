import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DispatchError, exitCodes } from '../../error.ts'
import { type RunOptions, type RunResult, runProgram } from '../../exec.ts'
import { killProcessTree } from '../../process/kill.ts'
import { MINUTE_MS, SECOND_MS } from '../../time.ts'

/** A commit to create in a repository of the user. */
export interface NewCommit {
  tree: string
  parents: string[]
  message: string
  /** Seconds since 1970 and a time zone, as a commit has it: `1764450000 +0100`; now, if it is left out. */
  authorDate?: string | undefined
  /** The author, if it is not the user. */
  author?: { name: string; email: string } | undefined
}

/** May git and its signing program ask a person, and how long may they take? */
export interface SigningOptions {
  isAtTerminal: boolean
  timeoutMs?: number
  /** The folder of objects that has the tree and the parents, and gets the commit; that of the repository, if it is left out. */
  objectFolder?: string
}

/**
 * Create a commit in the user's name and signed as their configuration says, with their own git. It is an object only: no
 * branch, index or file changes, and no hook runs. Exit 2 when git does not know who the user is, 6 when it does not sign.
 */
export async function commitAsUser(
  repository: string,
  { tree, parents, message, authorDate, author }: NewCommit,
  { isAtTerminal, timeoutMs = isAtTerminal ? PERSON_TIMEOUT_MS : SIGN_TIMEOUT_MS, objectFolder }: SigningOptions,
): Promise<string> {
  const objects = objectFolder === undefined ? {} : { GIT_OBJECT_DIRECTORY: objectFolder }
  const [isSigned] = await Promise.all([wantsSignature(repository), requireIdentity(repository)])
  const options = [...parents.flatMap(parent => ['-p', parent]), ...(isSigned ? ['-S'] : [])]
  const ran = await withTextFile(message, file =>
    runUserGit(
      ['commit-tree', tree, ...options, '-F', file],
      { cwd: repository, timeoutMs, ...(isAtTerminal && isSigned ? { foreground } : {}) },
      {
        ...objects,
        ...(authorDate === undefined ? {} : { GIT_AUTHOR_DATE: `@${authorDate}` }),
        ...(author && { GIT_AUTHOR_NAME: author.name, GIT_AUTHOR_EMAIL: author.email }),
      },
    ),
  )
  const commit = ran.stdout.trim()
  if (ran.exitCode === 0 && (!isSigned || (await hasSignature(repository, commit, objects)))) return commit
  const reason = ran.timedOut
    ? `it took longer than ${Math.round(timeoutMs / SECOND_MS)} s`
    : ran.stderr.trim() || `exit ${ran.exitCode ?? ran.signal ?? ran.startError}`
  const what = isSigned
    ? 'git could not sign the commit, as commit.gpgSign asks for'
    : 'git could not create the commit'
  throw new DispatchError(`${what}: ${reason}`, {
    exitCode: exitCodes.dependency,
    remedy: isSigned
      ? `Nothing was changed. ${isAtTerminal ? '' : 'There is no terminal at which you could be asked for a password: run the command at one. '}To try your key: git commit-tree -S -m test HEAD^{tree}`
      : 'Nothing was changed. Read what git reports.',
  })
}

/**
 * Run git with everything that the user has configured, in any file, and with their environment: their name, their key, their
 * filters. It never asks for a password, opens an editor or cleans up.
 */
export async function runUserGit(
  args: string[],
  options: RunOptions & { cwd: string },
  variables: Record<string, string> = {},
): Promise<RunResult> {
  return runProgram('git', [...USER_OPTIONS, ...args], {
    timeoutMs: MINUTE_MS,
    ...options,
    env: { ...buildUserEnvironment(options.foreground !== undefined), ...variables },
  })
}

/** The environment of the user's own git, without what would make it ask where no person can answer. */
export function buildUserEnvironment(canAsk: boolean): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || REPOSITORY_VARIABLES.test(name) || (name === 'GPG_TTY' && !canAsk) ? [] : [[name, value]],
  )
  const silent = canAsk ? {} : { SSH_ASKPASS_REQUIRE: 'never', GCM_INTERACTIVE: '0' }
  return { ...Object.fromEntries(inherited), ...silent, GIT_TERMINAL_PROMPT: '0', GIT_EDITOR: ':' }
}

// --- internal ---

/** Where no person can answer, a signature comes at once or not at all. A smart card may want a while. */
const SIGN_TIMEOUT_MS = MINUTE_MS
/** Enough to find a password or a key. */
const PERSON_TIMEOUT_MS = 5 * MINUTE_MS

const foreground = { kill: (pid: number) => killProcessTree(pid, '') }

const USER_OPTIONS = [
  'user.useConfigOnly=true', // Or git makes up a name from the account and the host.
  'core.hooksPath=/dev/null', // Hooks run where a person said so, and nowhere else.
  'core.fsmonitor=false',
  'i18n.commitEncoding=UTF-8',
  'gc.auto=0',
  'maintenance.auto=false',
].flatMap(setting => ['-c', setting])

/** They would send git to another repository. */
const REPOSITORY_VARIABLES =
  /^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|PREFIX|GRAFT_FILE|SHALLOW_FILE|(AUTHOR|COMMITTER)_DATE)$/

async function requireIdentity(repository: string): Promise<void> {
  const asked = ['GIT_AUTHOR_IDENT', 'GIT_COMMITTER_IDENT'].map(name => runUserGit(['var', name], { cwd: repository }))
  for (const ran of await Promise.all(asked)) {
    if (ran.exitCode === 0) continue
    throw new DispatchError(`git does not know who you are in ${repository}: ${getLastLine(ran.stderr)}`, {
      exitCode: exitCodes.usage,
      remedy: 'Nothing was changed. Run: git config --global user.name NAME and git config --global user.email ADDRESS',
    })
  }
}

async function wantsSignature(repository: string): Promise<boolean> {
  const ran = await runUserGit(['config', '--type=bool', '--get', 'commit.gpgSign'], { cwd: repository })
  if (ran.exitCode === 0 || ran.exitCode === 1) return ran.stdout.trim() === 'true'
  throw new DispatchError(`git cannot read its configuration in ${repository}: ${getLastLine(ran.stderr)}`, {
    exitCode: exitCodes.usage,
    remedy: 'Nothing was changed. Fix it, then run the command again.',
  })
}

/** A signing program may end with 0 and sign nothing. */
async function hasSignature(repository: string, commit: string, variables: Record<string, string>): Promise<boolean> {
  const { stdout } = await runUserGit(['cat-file', 'commit', commit], { cwd: repository }, variables)
  return /^gpgsig(-sha256)? /m.test(stdout.slice(0, stdout.indexOf('\n\n') + 1))
}

/** Use a private file with this text. Standard input stays free for a question. */
async function withTextFile<Result>(text: string, use: (file: string) => Promise<Result>): Promise<Result> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-message-'))
  try {
    fs.writeFileSync(path.join(folder, 'message'), text, { mode: 0o600 })
    return await use(path.join(folder, 'message'))
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function getLastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
