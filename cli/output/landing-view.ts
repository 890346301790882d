import { type ExitCode, exitCodes } from '#host/error.ts'
import { formatNames, toOneLine } from '#host/text.ts'
import { getLandingExitCode, type LandingResult } from '../landing/land.ts'
import { isProtectedOnGitHub } from '../landing/outcome.ts'
import type { QueuedLanding } from '../landing/queue-sessions.ts'
import { formatTitle, paint, print } from './terminal.ts'

/** Print which sessions wait to land now. Returns the exit code: that of the first that does not. */
export function printQueuedLandings(queued: QueuedLanding[], isJson: boolean): ExitCode {
  for (const { session, error } of queued) {
    const { exitCode = exitCodes.ok, message: reason = '', remedy: next = '' } = error ?? {}
    if (isJson) print(JSON.stringify({ id: session.id, state: error ? null : 'waiting', reason, next, exitCode }))
    else if (error) printLanding({ session, error }, false)
    else print(`${formatTitle(session.id)}\n  waits to land. To see how far it is: dispatch land ls`)
  }
  return queued.find(({ error }) => error)?.error?.exitCode ?? exitCodes.ok
}

/** Print what came of one session, and what to do about it. */
export function printLanding({ session, landing, error, stale = [] }: LandingResult, isDryRun: boolean): void {
  print(formatTitle(session.id))
  if (error) {
    print(`  ${paint('red', error.message)}`)
    if (error.remedy) print(`  ${error.remedy}`)
    return
  }
  if (landing === undefined) return
  const { state, branch, commit = '', tree = '', reason } = landing
  const short = session.id.slice(-4)
  if (state === 'landed') {
    print(`  ${paint('green', 'landed')}   on ${branch} as ${commit.slice(0, 10)}, tree ${tree.slice(0, 10)}`)
    print(`  record   dispatch audit ${short}`)
    if (stale.length > 0) print(`  overlaps ${formatNames(stale)}: changed the same files, and will be proved again`)
  } else if (state === 'ready') {
    print(`  ${paint('green', 'ready')}    for ${branch}: ${toOneLine(reason, MAX_REASON_CHARS)}`)
    if (isDryRun) print('  Nothing was pushed. To push it, leave out --dry-run.')
  } else if (state === 'present') {
    print(`  ${paint('green', 'present')}  on ${branch}: ${reason}. Nothing was pushed.`)
  } else if (state === 'unproved') {
    print(
      `  ${paint('red', 'merged')}   into ${branch} as ${commit.slice(0, 10)}, and ${paint('red', 'not green there')}`,
    )
    print(`  ${toOneLine(reason, MAX_REASON_CHARS)}`)
    print(`  revert   ${describeNext(landing, session.id)}`)
  } else if (state === 'merged') {
    print(`  ${paint('yellow', 'merged')}   into ${branch} as ${commit.slice(0, 10)}, and not proved there yet`)
    print(`  ${toOneLine(reason, MAX_REASON_CHARS)}`)
    print(`  next     ${describeNext(landing, session.id)}`)
  } else {
    print(`  ${paint('red', stateWords[state])}  ${toOneLine(reason, MAX_REASON_CHARS)}`)
    print('  Nothing was pushed.')
    print(`  next     ${describeNext(landing, session.id)}`)
  }
}

/** The same for `--json`. */
export function toLandingJson(result: LandingResult, isDryRun: boolean) {
  const { session, landing, error, stale = [] } = result
  return {
    id: session.id,
    state: landing?.state ?? null,
    branch: landing?.branch ?? null,
    commit: landing?.commit ?? null,
    tree: landing?.tree ?? null,
    target: landing?.target ?? null,
    reason: error?.message ?? landing?.reason ?? '',
    /** What to do about it; empty where nothing is to be done. */
    next: error?.remedy ?? (landing === undefined ? '' : describeNext(landing, session.id)),
    /** What this session alone makes the command exit with. */
    exitCode: getLandingExitCode(result, isDryRun),
    /** Other sessions that changed the same files and have not landed. */
    stale,
  }
}

// --- internal ---

type LandingState = NonNullable<LandingResult['landing']>

const MAX_REASON_CHARS = 400

const stateWords = {
  red: 'not green',
  blocked: 'blocked',
  stale: 'stale',
  undecided: 'undecided',
  conflict: 'conflict',
  refused: 'refused',
} as const

const retry = (short: string) => `have it done again on the newest state: dispatch retry ${short} --newest`

const nextSteps: Record<LandingState['state'], (short: string, landing: LandingState) => string> = {
  landed: () => '',
  ready: () => '',
  present: () => '',
  red: retry,
  stale: retry,
  conflict: retry,
  blocked: (_short, { branch }) => `the same command again, when ${branch} is green`,
  undecided: () => 'the same command again, when the judge answers and the commands can run',
  refused: (short, { branch, reason }) =>
    isProtectedOnGitHub(reason)
      ? `${branch} is protected. By a pull request: dispatch land ${short} --pull-request`
      : `read the reason, correct it or ask those who protect ${branch}, then the same command again`,
  merged: () => 'the same command again, which proves it',
  unproved: (_short, { branch, commit = '' }) =>
    `pull ${branch} first, then: dispatch "Revert commit ${commit.slice(0, 12)} of ${branch}, because it is not green there"`,
}

function describeNext(landing: LandingState, id: string): string {
  return nextSteps[landing.state](id.slice(-4), landing)
}
