import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { openTmux } from '#host/tmux'
import { getTmuxSessionName, holdEndedSession, isSessionOpen } from '#runner'
import { listSessions, type Session } from '#session'
import { findRemovability, finishRemovals, getLastEventTime, measureSession, removeSession } from '#session/removal'
import { findOtherHost } from '#session/status'
import { UsageError } from '../command.ts'
import { confirmAction } from '../input/confirm.ts'
import { listSavingFolders } from '../input/confirm-removal.ts'
import { formatBytes, formatTable, paint, print } from '../output/terminal.ts'

/** Which sessions a person wants to remove, and how. */
export interface BulkRemoval {
  /** Only those whose work is in a branch of a repository. */
  isAppliedOnly: boolean
  /** Only those in which nothing has happened for this long. */
  minAgeMs: number
  isDryRun: boolean
  isConfirmed: boolean
  isJson: boolean
}

/** A session, whether it is removed, and why or why not. `bytes` is what that would free. */
export interface Decision {
  session: Session
  isRemoved: boolean
  reason: string
  bytes: number
}

/** Remove every session whose removal loses nothing. Each one is listed with the reason; the others stay, with theirs. */
export async function removeSafeSessions(config: Config, removal: BulkRemoval): Promise<void> {
  const { isDryRun, isConfirmed, isJson } = removal
  const sessions = listSessions(config.workspace)
  const old = listOldSessions(sessions, removal.minAgeMs)
  const decisions: Decision[] = []
  for (const session of old) decisions.push(await decideRemoval(session, config, removal))
  const removed = decisions.filter(({ isRemoved }) => isRemoved)
  if (isJson && !isDryRun && !isConfirmed && removed.length > 0)
    throw new UsageError(
      'rm --json does not ask',
      'Add --yes to remove them, or --dry-run to see what would be removed.',
    )
  if (!isJson) printDecisions(decisions, sessions.length - old.length)
  const isGo = !isDryRun && removed.length > 0 && (isConfirmed || (await confirmAction('Remove them?', 'rm')))
  const { last, failures } = await removeIfStillSafe(isGo ? removed : [], config, removal)
  const results = decisions.map(decision => last.get(decision.session.id) ?? decision)
  if (isJson) print(JSON.stringify(results.map(decision => summarize(decision, isGo, failures))))
  else if (isGo) printRemoved([...last.values()])
  else if (removed.length > 0) print('Nothing was removed.')
  throwFailures(failures)
}

/**
 * Remove a session if that still loses nothing. Nothing takes it up meanwhile. Returns the last decision, by which it is gone or stays.
 * Throws where the folder cannot be removed.
 */
export async function removeIfSafe(
  session: Session,
  config: Config,
  rule: Pick<BulkRemoval, 'isAppliedOnly' | 'minAgeMs'>,
): Promise<Decision> {
  const keep = (reason: string): Decision => ({ session, isRemoved: false, reason, bytes: 0 })
  const release = await holdEndedSession(session, config)
  if (release === undefined) return keep('it was taken up meanwhile')
  try {
    if (listOldSessions([session], rule.minAgeMs).length === 0) return keep('something has happened in it meanwhile')
    const decision = await decideRemoval(session, config, { ...rule, isHeld: true })
    const failures = decision.isRemoved ? await removeSessions([session], config) : new Map()
    for (const error of failures.values()) throw error
    return decision
  } finally {
    release()
  }
}

/** The sessions in which nothing has happened for this long. */
export function listOldSessions(sessions: Session[], minAgeMs: number): Session[] {
  return sessions.filter(session => Date.now() - getLastEventTime(session) >= minAgeMs)
}

/** How it is decided. `isHeld`: this process keeps the session from being taken up, so it is not open. */
export type Rule = Pick<BulkRemoval, 'isAppliedOnly'> & { isHeld?: boolean }

/** Can a session be removed without losing anything? One that cannot be looked at stays, and keeps no other one. */
export async function decideRemoval(session: Session, config: Config, rule: Rule): Promise<Decision> {
  try {
    return await decide(session, config, rule)
  } catch (error) {
    const reason = `dispatch cannot tell what would be lost: ${error instanceof Error ? error.message : error}`
    return { session, isRemoved: false, reason, bytes: 0 }
  }
}

/** An age such as `30d`, `12h` or `4w`, in milliseconds. Exit 2 for anything else. */
export function parseAge(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? []
  const hours = { h: 1, d: 24, w: 168 }[unit]
  if (hours === undefined) throw new UsageError(`"${text}" is not an age`, 'Write it like 30d, 12h or 4w.')
  return Number(count) * hours * 3_600_000
}

/** Remove the folders of sessions that the caller holds, and the windows of their ended processes. Returns the errors of those that stay, by id. */
export async function removeSessions(sessions: Session[], config: Config): Promise<Map<string, unknown>> {
  const failures = new Map<string, unknown>()
  for (const session of sessions) {
    try {
      removeSession(config.workspace, session)
      await openTmux(config.home).closeSession(getTmuxSessionName(session))
    } catch (error) {
      failures.set(session.id, error)
    }
  }
  if (failures.size === 0) finishRemovals(config.workspace)
  return failures
}

/** Throw one error about all sessions that could not be removed. */
export function throwFailures(failures: Map<string, unknown>): void {
  const [first] = failures.values()
  if (first === undefined) return
  const reasons = [...failures].map(([id, error]) => `${id}: ${error instanceof Error ? error.message : error}`)
  throw new DispatchError(`${countSessions(failures.size)} could not be removed: ${reasons.join('; ')}`, {
    exitCode: first instanceof DispatchError ? first.exitCode : exitCodes.internal,
    remedy: first instanceof DispatchError ? first.remedy : '',
  })
}

// --- internal ---

async function decide(session: Session, config: Config, { isAppliedOnly, isHeld = false }: Rule): Promise<Decision> {
  const keep = (reason: string): Decision => ({ session, isRemoved: false, reason, bytes: 0 })
  if (session.newerFormat !== undefined) return keep('a newer dispatch wrote it')
  const otherHost = await findOtherHost(session)
  if (otherHost !== undefined) return keep(`it belongs to the machine ${otherHost}`)
  if (!isHeld && (await isSessionOpen(session, config))) return keep('it is still open')
  const { isSafe, hasWork, reason } = await findRemovability(session, listSavingFolders(session, config.home))
  if (isSafe && isAppliedOnly && !hasWork) return keep(`${reason}, so nothing was applied`)
  return { session, isRemoved: isSafe, reason, bytes: measureSession(session, true) }
}

/** Returns the last decision about each, and the errors of those that cannot be removed, by id. */
async function removeIfStillSafe(decisions: Decision[], config: Config, removal: BulkRemoval) {
  const last = new Map<string, Decision>()
  const failures = new Map<string, unknown>()
  for (const { session } of decisions) {
    try {
      last.set(session.id, await removeIfSafe(session, config, removal))
    } catch (error) {
      failures.set(session.id, error)
    }
  }
  return { last, failures }
}

function printRemoved(decisions: Decision[]): void {
  const kept = decisions.filter(({ isRemoved }) => !isRemoved)
  if (kept.length > 0) print(formatTable(kept.map(({ session, reason }) => ['kept', session.id, reason])))
  print(`Removed ${countSessions(decisions.length - kept.length)}.`)
}

function printDecisions(decisions: Decision[], youngerCount: number): void {
  const rows = decisions.map(({ session, isRemoved, reason, bytes }) => [
    isRemoved ? paint('green', 'remove') : paint('yellow', 'keep'),
    session.id,
    bytes > 0 ? formatBytes(bytes) : '',
    reason,
  ])
  if (rows.length > 0) print(formatTable(rows))
  if (youngerCount > 0) print(`${countSessions(youngerCount)} kept: too young.`)
  const removed = decisions.filter(({ isRemoved }) => isRemoved)
  const bytes = removed.reduce((sum, decision) => sum + decision.bytes, 0)
  if (removed.length > 0) print(`\nThis removes ${countSessions(removed.length)} and frees ${formatBytes(bytes)}.`)
  else print('\nThere is nothing that can be removed without losing work.')
}

function summarize({ session, isRemoved, reason, bytes }: Decision, isGo: boolean, failures: Map<string, unknown>) {
  const removal = failures.has(session.id) ? 'failed' : isGo ? 'removed' : 'would be removed'
  const action = isRemoved ? removal : 'kept'
  return { id: session.id, action, reason, bytes: bytes || null }
}

function countSessions(count: number): string {
  return `${count} session${count === 1 ? '' : 's'}`
}
