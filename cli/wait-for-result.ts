import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, readConfig } from '#host/config'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import type { Session } from '#session'
import { readCurrentVerdict } from '#session/evidence'
import { createStory, type Event, followLog, readLog } from '#session/log'
import { describeVoidReason, listChangesSinceVerdict } from '#session/repository'
import { applyEvent, computeState, initialStatus, isSettled, readView, type SessionStatus } from '#session/status'
import { setExitCodeWithoutReader } from './end-signal.ts'
import { startMissingRunners } from './missing-runners.ts'
import { printResult } from './output/result-view.ts'
import { printStoryLine } from './output/terminal.ts'

/** Wait, without printing, until the session has a verdict, needs a person or has ended. */
export async function waitForResult(session: Session) {
  setExitCodeWithoutReader()
  const result = await summarizeResult(session, await waitUntilSettled(session, () => undefined))
  setExitCodeWithoutReader(result.exitCode)
  return result
}

/** How the session ended, or what it waits for, as `--json` prints it. */
export async function summarizeResult(session: Session, lastStatus: SessionStatus) {
  const status = await applyVoid(session, lastStatus)
  const state = computeState(status, (await readView(session)).runnerLiveness)
  const packetSha256 = readCurrentVerdict(session.paths, status)?.packetSha256 ?? null // Null if nothing was sent.
  return { id: session.id, state, exitCode: pickExitCode(status), status, packetSha256 }
}

/** The same, printing every event as it comes and the result at the end. Returns the exit code. */
export async function watchToEnd(session: Session): Promise<ExitCode> {
  setExitCodeWithoutReader()
  const tell = createStory()
  const lastStatus = await waitUntilSettled(session, (event, status) => {
    const description = tell(event)
    if (description) printStoryLine(description, Date.parse(event.time) - Date.parse(status.openedAt))
  })
  const status = await applyVoid(session, lastStatus)
  const exitCode = pickExitCode(status)
  setExitCodeWithoutReader(exitCode)
  printResult(session, status)
  return exitCode
}

/**
 * Read the events of a session, existing and future ones, until `isOver`. Returns the status then. A runner that dies meanwhile
 * gets a successor: without one no event would ever come.
 */
export async function followSession(
  session: Session,
  isOver: (event: Event, status: SessionStatus) => boolean | Promise<boolean>,
): Promise<SessionStatus> {
  const config = tryReadConfig() // Read once, so that an .env that breaks meanwhile does not end the wait.
  const startWanted = (by: Config) => startMissingRunners(by, { wanted: session.id }).catch(() => undefined)
  const restartTimer = setInterval(() => config && startWanted(config), RESTART_INTERVAL_MS)
  let status = initialStatus
  try {
    for await (const event of followLog(session.paths.events, { signal: new AbortController().signal })) {
      status = applyEvent(status, event)
      if (await isOver(event, status)) break
    }
  } finally {
    clearInterval(restartTimer)
  }
  return status
}

/**
 * The exit code for where a session stands, as docs/troubleshooting.md has it for each state. A verdict that is void says nothing about
 * what came after it. A session that was stopped waits for no login any more, but its record stays changed. Pure.
 */
export function pickExitCode({ phase, verdict, closed, ...status }: SessionStatus): ExitCode {
  if (verdict?.voidReason && phase === verdict.verdict) return exitCodes.inconclusive
  if (phase === 'PASS') return exitCodes.ok
  if (phase === 'FAIL') return exitCodes.fail
  if (phase === 'failed') return (status.startExitCode as ExitCode | undefined) ?? exitCodes.internal
  const problem = phase === 'needs you' ? (status.problemExitCode as ExitCode | undefined) : undefined
  if (problem === undefined || (closed && problem !== exitCodes.integrity)) return exitCodes.inconclusive
  return problem
}

// --- internal ---

const RESTART_INTERVAL_MS = 5000

async function waitUntilSettled(
  session: Session,
  onEvent: (event: Event, status: SessionStatus) => void,
): Promise<SessionStatus> {
  let seen = 0
  let isConfirmed = false
  let { length } = readLog(session.paths.events).events // The past may contain settled states; only what follows it counts.
  return followSession(session, async (event, status) => {
    onEvent(event, status)
    if (++seen < length || !isSettled(status)) return false
    if (isConfirmed || !(await waitIfFresh(session, status))) return true
    isConfirmed = true
    length = readLog(session.paths.events).events.length
    return seen >= length
  })
}

/** A verdict is void once the work has changed, also while no runner exists that could record it. */
async function applyVoid({ paths }: Session, status: SessionStatus): Promise<SessionStatus> {
  const { verdict, phase } = status
  if (!verdict?.isFinal || verdict.voidReason || phase !== verdict.verdict) return status
  const voidReason = describeVoidReason(await listChangesSinceVerdict(paths, status))
  return voidReason === undefined ? status : { ...status, verdict: { ...verdict, voidReason } }
}

/** A PASS this young may have been forged, which the runner detects at its next tick. */
const FRESH_PASS_MS = 2000
const RUNNER_REACTION_MS = 800

/** Give the runner time to detect a forged PASS. Returns whether that was needed. */
async function waitIfFresh({ paths }: Session, { phase }: SessionStatus): Promise<boolean> {
  const ageMs = Date.now() - fs.statSync(paths.events).ctimeMs
  if (phase !== 'PASS' || ageMs > FRESH_PASS_MS) return false
  await sleep(RUNNER_REACTION_MS)
  return true
}

/** Undefined while `.env` is not valid: no runner could be started by it. */
function tryReadConfig(): Config | undefined {
  try {
    return readConfig()
  } catch (error) {
    if (error instanceof DispatchError) return undefined
    throw error
  }
}
