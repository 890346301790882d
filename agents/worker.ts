import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { buildHeadlessArguments } from '#host/claude'
import { installFolder } from '#host/config'
import { writeAtomic } from '#host/fs'
import { createPlaceholder } from '#host/model'
import type { ServicePlan } from '#host/services'
import { escapeShellPattern } from '#host/shell-quote.ts'
import { toOneLine } from '#host/text.ts'
import type { Session } from '#session'
import { formatGlobs } from '#session/contract'
import type { WorkerKind } from '#session/log'
import type { WorkerStatus } from '#session/status'
import { renderLaunchScript } from './launch-script.ts'
import { buildSessionVariables } from './orchestrator.ts'
import { describeInterruptedAttempt, readInstructions, renderPrompt } from './prompt.ts'
import { prepareClaudeFolder, prepareWorkerSandbox, resolveClaudeProgram } from './sandbox.ts'

/** What a worker gets besides what the orchestrator asked for. */
export interface WorkerGrant {
  /** rw: the globs it may change. code: those of running rw workers, which it must leave alone. Brackets are decided. */
  files: string[]
  /** The fencing token of the write lock; 0 for an rw worker. */
  token: number
  /** The last commit that a worker handed in. Commits on top of it are quarantined; empty: none are. */
  acceptedCommit: string
  /** Folders of the project's own tools, found by name. */
  programs: string[]
  /** Variables for those tools and for the toolchains of the user, and what must be readable for them. */
  variables: Record<string, string>
  readablePaths: string[]
  /** What runs beside it. */
  services?: ServicePlan | undefined
  /** Dollars after which claude stops. */
  budgetUsd: number | undefined
  /** The attempt before, if that was cut off, and the last that it said. */
  interrupted?: { number: number; lastWords: string } | undefined
}

const allowedTools: Record<WorkerKind, string[]> = {
  code: ['Bash', 'Read', 'Write', 'Edit', 'Glob', 'Grep'],
  rw: ['Read', 'Write', 'Edit', 'Glob', 'Grep'],
}

/** Write a worker's system prompt, write allowlist and launch script beside its brief. Returns the script's path. */
export function prepareWorker(
  session: Session,
  worker: Pick<WorkerStatus, 'name' | 'kind' | 'model' | 'clauses'>,
  grant: WorkerGrant,
): string {
  const { name, kind } = worker
  const { files, programs } = grant
  const { id, paths, manifest } = session
  const own = paths.worker(name)
  const otherFiles = files.length > 0 ? `, except ${formatGlobs(files)}: another worker writes those` : ''
  const prompt = renderPrompt(`worker-${kind}`, {
    worker: name,
    session: id,
    clauses: worker.clauses.join(', ') || 'those that your brief names',
    contract: fs.readFileSync(paths.contract, 'utf8'),
    instructions: readInstructions(session),
    attempt: describeInterruptedAttempt(worker, grant.interrupted, grant.acceptedCommit === ''),
    ...(kind === 'code' ? { otherFiles } : { files: formatGlobs(files) }),
  })
  writeAtomic(own.systemPrompt, prompt)
  const allowed = kind === 'code' ? ['*'] : files.map(toCasePattern).flatMap(pattern => [pattern, `${pattern}/*`])
  writeAtomic(own.writeAllowlist, allowed.map(name => `${escapeShellPattern(paths.outputs)}/${name}\n`).join(''))
  // Git knows a folder by a name without a backslash only, so what is in it is named as well.
  const pathspecs = files.flatMap(glob => [glob, `${glob.replace(/\/+$/, '')}/**`])
  writeAtomic(own.files, pathspecs.map(glob => `${glob}\n`).join(''))
  writeAtomic(own.commitMessage, renderCommitMessage(session, name))
  const placeholder = createPlaceholder()
  const variables = {
    ...grant.services?.variables,
    ...buildSessionVariables(session),
    ...prepareClaudeFolder(session, own.claudeFolder, placeholder),
    ...grant.variables,
    DISPATCH_ROLE: 'worker',
    DISPATCH_WORKER: `${id}/${name}`,
    DISPATCH_KIND: kind,
    DISPATCH_FOLDER: own.folder,
    DISPATCH_FILES: own.files,
    DISPATCH_WRITE_ALLOWLIST: own.writeAllowlist,
    DISPATCH_LOCK: paths.writeLock,
    DISPATCH_TOKEN: String(grant.token),
    DISPATCH_ACCEPTED: grant.acceptedCommit,
    DISPATCH_INTERRUPTED: grant.interrupted === undefined ? '' : String(grant.interrupted.number),
    DISPATCH_TOOLS: programs.join(':'),
    GIT_CONFIG_NOSYSTEM: '1', // It may name a process of Git LFS, which would take the place of dispatch's filter.
  }
  const claudeArguments = buildHeadlessArguments({
    program: resolveClaudeProgram(session),
    model: worker.model,
    systemPromptFile: own.systemPrompt,
    settingsFile: paths.claudeSettings,
    sessionId: randomUUID(),
    tools: allowedTools[kind],
    budgetUsd: grant.budgetUsd,
  })
  const script = renderLaunchScript({
    comment: `Worker ${name} of ${id}.`,
    folder: paths.outputs,
    variables: { ...variables, ...prepareWorkerSandbox(session, worker, grant, Object.keys(variables), placeholder) },
    isSandboxed: manifest.sandbox.kind !== null,
    command: [
      '/bin/sh',
      path.join(installFolder, 'agents/worker.sh'),
      ...(grant.services?.prefix ?? []),
      ...claudeArguments,
    ],
  })
  writeAtomic(own.launchScript, script, 0o700)
  return own.launchScript
}

/** The variable that every process of this worker has in its environment, as `NAME=value`. */
export function buildWorkerMark(session: Session, name: string): string {
  return `DISPATCH_WORKER=${session.id}/${name}`
}

// --- internal ---

const MAX_SUBJECT_CHARS = 72

/** A message for what a worker leaves uncommitted: what was asked for, and whose work it is. */
function renderCommitMessage({ id, manifest }: Session, name: string): string {
  return `${toOneLine(manifest.task.title, MAX_SUBJECT_CHARS)}\n\nWork of ${name} in dispatch session ${id}.\n`
}

/** A glob as a `case` pattern. `*` crosses slashes there, so the guard hook is looser than the commit, which is exact. */
function toCasePattern(glob: string): string {
  return glob.replace(/\/+$/, '').replace(/(\\.)|\*\*/gsu, (_, escaped?: string) => escaped ?? '*')
}
