import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { tryGit } from '#host/git'
import { projectFileName } from '#host/project'
import { formatNames } from '#host/text.ts'
import { findSession, type Session, type SessionManifest } from '#session'
import { readCurrentVerdict, readLanding } from '#session/evidence'
import type { LandingStatus } from '#session/landing'
import { readLog } from '#session/log'
import type { OptionValues } from '../command.ts'
import { listAttemptReports } from '../pull-request/attempt-task.ts'
import type { FoundAttempt } from '../pull-request/find-attempt.ts'
import { findSandboxOption } from './sandbox-options.ts'
import { readStatus } from './session.ts'
import type { taskOptions } from './task-options.ts'

/** What came of a session, for the next one at the same task, which may be an attempt at what came back to its pull request. Exit 4 if there is no such session. */
export function describeAttempt(
  config: Config,
  id: string,
  context: string,
  found?: FoundAttempt,
): NonNullable<SessionManifest['retryOf']> {
  const session = findSession(config.workspace, id)
  const status = readStatus(session)
  const record = readCurrentVerdict(session.paths, status)
  const outcome = record
    ? `${record.verdict}: ${record.reason}${describeLanding(status.landing)}`
    : `no verdict${status.problem ? `: ${status.problem}` : status.closed ? `: ${status.closed.reason}` : ''}`
  const before = session.manifest.retryOf
  const findings = [
    ...(found === undefined ? [] : listAttemptReports(found.attempt)),
    ...listLandingFindings(session, status.landing),
    ...(record?.findings ?? []),
    // A new attempt that failed again does not lose why it was made.
    ...(before === null ? [] : [`the attempt before that ended with ${before.outcome}`, ...before.findings]),
  ]
  return {
    session: session.id,
    outcome: `${outcome}${describePullRequest(found)}`,
    findings: [...new Set(findings)].slice(0, MAX_FINDINGS),
    context,
  }
}

/** The options with which a session was started, for another attempt at its task. Its commit says whether it left out a project file. */
export async function readSettings({ manifest }: Session): Promise<OptionValues<typeof taskOptions>> {
  const { requiresApproval, allowsJudgedOnly, allowedHosts, models, sandbox, project, repository } = manifest
  const sandboxOption = findSandboxOption(sandbox)
  const hasNoSetup = project === null && repository !== null && (await hasProjectFile(repository))
  return {
    model: models.orchestrator,
    'code-model': models.code,
    'rw-model': models.rw,
    'allow-host': allowedHosts,
    ...(sandboxOption !== undefined && { sandbox: sandboxOption }),
    ...(hasNoSetup && { 'no-setup': true }),
    ...(requiresApproval && { approve: true }),
    ...(allowsJudgedOnly && { 'allow-judged-only': true }),
  }
}

/** Exit 2 where the work tree of the session's repository is not in its place any more. */
export function refuseMissingRepository({ manifest: { repository } }: Session): void {
  if (repository === null || fs.existsSync(path.join(repository.path, '.git'))) return
  throw new DispatchError(`${repository.path} is not a git repository with a work tree any more`, {
    exitCode: exitCodes.usage,
    remedy: 'It was when the session started. Move it back, or start a new session: dispatch "task" --repo DIR',
  })
}

// --- internal ---

const MAX_FINDINGS = 100
const MAX_OUTPUT_CHARS = 1000

/** A file that is not in the commit may be newer than the session, which then had none to leave out. */
async function hasProjectFile({ path: cwd, commit }: { path: string; commit: string }): Promise<boolean> {
  const { stdout } = await tryGit(['ls-tree', '--full-tree', commit, '--', projectFileName], { cwd })
  return stdout !== ''
}

function describeLanding(landing: LandingStatus | undefined): string {
  if (landing === undefined || ['landed', 'ready', 'present'].includes(landing.state)) return ''
  return `. Its work did not land on branch ${landing.branch}: ${landing.reason}`
}

/** Why its pull request needs another attempt, and where that begins. */
function describePullRequest(found: FoundAttempt | undefined): string {
  if (found === undefined) return ''
  const { number, attempt } = found
  const isGone = attempt.findings.some(({ kind }) => kind === 'conflict')
  const start = isGone
    ? 'You begin without its work'
    : 'Its work is in the repository already, and you go on from there'
  return `. Its pull request ${number} is not done: ${formatNames(attempt.findings.map(({ title }) => title))}. ${start}`
}

/** What kept the work from landing: the gate that was not green, with the end of its output, and the findings on the new tree. */
function listLandingFindings({ paths }: Session, landing: LandingStatus | undefined): string[] {
  if (landing?.state === 'conflict') return listConflicts(paths, landing.branch)
  if (landing?.sha256 === undefined || landing.state === 'landed') return []
  const record = readLanding(paths, landing.number, landing.sha256)
  const gates = record?.gates.filter(({ outcome }) => outcome !== 'green') ?? []
  return [
    ...gates.map(
      ({ command, outcome, reason, outputTail }) =>
        `on ${landing.branch}, gate \`${command}\` is ${outcome}: ${reason}. The end of its output: ${outputTail.slice(-MAX_OUTPUT_CHARS)}`,
    ),
    ...(record?.verdict?.findings ?? []),
  ]
}

/** Every file that the work and the branch changed in the same place, as far as the log has them. */
function listConflicts(paths: Session['paths'], branch: string): string[] {
  const refusal = readLog(paths.events).events.findLast(event => event.type === 'landing.refused' && !event.isDryRun)
  const files = refusal?.type === 'landing.refused' ? refusal.files : []
  return files.map(file => `${branch} has changed ${file} in the same place as the work did`)
}
