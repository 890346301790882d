import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { buildHeadlessArguments } from '#host/claude'
import { installFolder } from '#host/config'
import { makePrivateFolder, writeAtomic } from '#host/fs'
import { escapeShellPattern } from '#host/shell-quote.ts'
import type { Session } from '#session'
import type { WorkerKind } from '#session/log'
import { readInstructions } from './instructions.ts'
import { renderLaunchScript } from './launch-script.ts'
import { buildSessionVariables, readAgentRules } from './orchestrator.ts'
import { prepareClaudeFolder, prepareWorkerSandbox, resolveClaudeProgram } from './sandbox.ts'
import { fillTemplate } from './template.ts'

/** A worker as the orchestrator requested it, with what the runner adds. */
export interface WorkerSpec {
  name: string
  kind: WorkerKind
  model: string
  clauses: string[]
  /** rw: the globs it may change. code: the globs of running rw workers, which it must leave alone. */
  files: string[]
  brief: Uint8Array
  /** The fencing token of the write lock; 0 for an rw worker. */
  token: number
  /** Folders of the project's own tools, found by name. */
  programs?: string[]
  /** Variables for those tools. */
  variables?: Record<string, string>
  /** Dollars after which claude stops. */
  budgetUsd?: number | undefined
  /** The last commit that a worker handed in. Commits on top of it are quarantined; empty: none are. */
  acceptedCommit: string
}

const allowedTools: Record<WorkerKind, string[]> = {
  code: ['Bash', 'Read', 'Write', 'Edit', 'Glob', 'Grep'],
  rw: ['Read', 'Write', 'Edit', 'Glob', 'Grep'],
}

/** Write a worker's brief, system prompt, write allowlist and launch script. Answers the script's path. */
export function prepareWorker(
  session: Session,
  {
    name,
    kind,
    model,
    clauses,
    files,
    brief,
    token,
    acceptedCommit,
    programs = [],
    variables = {},
    budgetUsd,
  }: WorkerSpec,
): string {
  const { id, paths } = session
  const own = paths.worker(name)
  makePrivateFolder(own.folder)
  const shared = {
    worker: name,
    session: id,
    clauses: clauses.join(', ') || 'those that your brief names',
    contract: fs.readFileSync(paths.contract, 'utf8'),
    instructions: readInstructions(session),
  }
  const notyours = files.length > 0 ? `, except ${files.join(', ')}: another worker writes those` : ''
  const prompt = fillTemplate(
    fs.readFileSync(path.join(installFolder, `agents/prompts/worker-${kind}.md`), 'utf8'),
    kind === 'code' ? { ...shared, notyours } : { ...shared, files: files.join(', ') },
  )
  writeAtomic(own.brief, brief)
  writeAtomic(own.systemPrompt, `${readAgentRules()}\n${prompt}`)
  writeAtomic(
    own.writeAllowlist,
    kind === 'code'
      ? `${escapeShellPattern(paths.outputs)}/*\n`
      : files
          .flatMap(glob => [toCasePattern(glob), `${toCasePattern(glob)}/*`])
          .map(pattern => `${escapeShellPattern(paths.outputs)}/${pattern}\n`)
          .join(''),
  )
  writeAtomic(own.files, files.map(glob => `${glob}\n`).join(''))
  const launch = {
    program: resolveClaudeProgram(session),
    model,
    systemPromptFile: own.systemPrompt,
    settingsFile: path.join(installFolder, 'settings.json'),
    sessionId: randomUUID(),
    tools: allowedTools[kind],
    budgetUsd,
  }
  const toolVariables = {
    ...buildSessionVariables(session),
    ...prepareClaudeFolder(session, own.claudeFolder),
    ...variables,
    DISPATCH_ROLE: 'worker',
    DISPATCH_WORKER: `${id}/${name}`,
    DISPATCH_KIND: kind,
    DISPATCH_FOLDER: own.folder,
    DISPATCH_FILES: own.files,
    DISPATCH_WRITE_ALLOWLIST: own.writeAllowlist,
    DISPATCH_LOCK: paths.writeLock,
    DISPATCH_TOKEN: String(token),
    DISPATCH_ACCEPTED: acceptedCommit,
    DISPATCH_TOOLS: programs.join(':'),
  }
  const script = renderLaunchScript({
    comment: `Worker ${name} of ${id}.`,
    folder: paths.outputs,
    variables: {
      ...toolVariables,
      ...prepareWorkerSandbox(
        session,
        { name, kind, files, programs, readablePaths: Object.values(variables) },
        toolVariables,
      ),
    },
    isSandboxed: session.manifest.sandbox.kind !== null,
    command: ['/bin/sh', path.join(installFolder, 'agents/worker.sh'), ...buildHeadlessArguments(launch)],
  })
  writeAtomic(own.launchScript, script, 0o700)
  return own.launchScript
}

/** The variable that every process of this worker has in its environment, as `NAME=value`. */
export function buildWorkerMark(session: Session, name: string): string {
  return `DISPATCH_WORKER=${session.id}/${name}`
}

/** A glob as a `case` pattern. `*` crosses slashes there, so the guard hook is looser than the commit, which is exact. */
function toCasePattern(glob: string): string {
  return glob.replace(/\/+$/, '').replaceAll('**', '*')
}
