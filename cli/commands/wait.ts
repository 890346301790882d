import fs from 'node:fs'
import { type Config, readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { quoteForShell, sanitize } from '#host/text.ts'
import { launchSuccessor } from '#runner'
import type { Session } from '#session'
import { readCurrentVerdict } from '#session/evidence'
import { describeEvent, type Event, followLog, readLog } from '#session/log'
import { describeVoidReason, listChangesSinceVerdict } from '#session/repository'
import {
  applyEvent,
  computeState,
  initialStatus,
  isAwaitingApproval,
  isSettled,
  readAllViews,
  readView,
  type SessionStatus,
} from '#session/status'
import { reviveSessions } from '#watchdog'
import { defineCommand } from '../command.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { pickSession } from '../input/pick-session.ts'
import { paint, paintState, print, printStoryLine } from '../output/terminal.ts'
export const command = defineCommand({
  about: `
Blocks until the session has a verdict, asks you something, or has ended. Exit code: 0 PASS, 3 FAIL, 12 INCONCLUSIVE or it
waits for you, and what made it fail if it never started. Without an id: the newest session.
`,
  options: {
    json: { type: 'boolean', about: 'one JSON object on standard output instead of words' },
  },
  async run(values, words) {
    const session = pickSession(readConfigOrDefaults(), words[0])
    const outcome = await waitForResult(session)
    if (values.json) print(JSON.stringify(outcome))
    else printEnd(session, outcome.status)
    return outcome.exit
  },
})

export interface WaitResult {
  id: string
  state: string
  exit: number
  status: SessionStatus
  /** Of all that the judge was given; null where nothing was sent, or no verdict is written. */
  packetSha256: string | null
}

/** Wait in silence for the end. */
export async function waitForResult(session: Session): Promise<WaitResult> {
  const status = await applyVoid(session, await waitUntilSettled(session, () => undefined))
  const state = computeState(status, (await readView(session)).runnerLiveness)
  const packetSha256 = readCurrentVerdict(session.paths, status)?.packetSha256 ?? null
  return { id: session.id, state, exit: pickExit(status), status, packetSha256 }
}

/** Tell the story as it happens; at the end the verdict, the deliverable and where to look. Answers the exit code. */
export async function watchToEnd(session: Session): Promise<number> {
  const lastStatus = await waitUntilSettled(session, (event, status) => {
    const moment = describeEvent(event)
    if (moment) printStoryLine(moment, Date.parse(event.time) - Date.parse(status.openedAt))
  })
  const status = await applyVoid(session, lastStatus)
  printEnd(session, status)
  return pickExit(status)
}

async function waitUntilSettled(
  session: Session,
  see: (event: Event, status: SessionStatus) => void,
): Promise<SessionStatus> {
  const config = tryReadConfig() // Once: an .env that is broken meanwhile ends no waiting.
  let status = initialStatus
  let seen = 0
  let isSure = false
  let { length } = readLog(session.paths.events).events // What has happened already: only after it can the end be told.
  const over = new AbortController()
  const healer = setInterval(() => void reviveIfNeeded(config), 5000) // Else nothing would ever come.
  try {
    for await (const event of followLog(session.paths.events, { signal: over.signal })) {
      status = applyEvent(status, event)
      see(event, status)
      if (++seen < length || !isSettled(status)) continue
      if (isSure || !(await mayBeForged(session, status))) return status
      isSure = true
      length = readLog(session.paths.events).events.length
      if (seen >= length) return status
    }
  } finally {
    clearInterval(healer)
  }
  return status
}

/** A verdict is void as soon as the work was changed: also where no runner is left to say so, or has not looked yet. */
async function applyVoid({ paths }: Session, status: SessionStatus): Promise<SessionStatus> {
  const { verdict, phase } = status
  if (!verdict?.isFinal || verdict.voidReason || phase !== verdict.verdict) return status
  const voidReason = describeVoidReason(await listChangesSinceVerdict(paths, status))
  return voidReason === undefined ? status : { ...status, verdict: { ...verdict, voidReason } }
}

/** A verdict that was only just written may be another's than the runner's, who sees that at its next look. */
async function mayBeForged({ paths }: Session, { phase }: SessionStatus): Promise<boolean> {
  const { ctimeMs } = fs.statSync(paths.events)
  if (phase !== 'PASS' || Date.now() - ctimeMs > 2000) return false
  await new Promise(resolve => setTimeout(resolve, 800))
  return true
}

/** Undefined while `.env` does not read: then no runner could be started that would go by it. */
function tryReadConfig(): Config | undefined {
  try {
    return readConfig()
  } catch (error) {
    if (error instanceof DispatchError) return undefined
    throw error
  }
}

async function reviveIfNeeded(config: Config | undefined): Promise<void> {
  if (config !== undefined)
    await reviveSessions(await readAllViews(config.workspace), config, launchSuccessor).catch(() => undefined)
}

function pickExit(status: SessionStatus): number {
  if (status.verdict?.voidReason) return exitCodes.inconclusive
  if (status.phase === 'PASS') return exitCodes.ok
  if (status.phase === 'FAIL') return exitCodes.fail
  if (status.phase === 'needs you') return status.problemExitCode ?? exitCodes.inconclusive
  return status.phase === 'failed' ? (status.startExitCode ?? exitCodes.internal) : exitCodes.inconclusive
}

/** Why it stands where it stands: what is asked or wrong now, before a verdict that was given earlier. */
function explainState({ phase, question, problem, verdict, closed }: SessionStatus): string {
  const now = phase === 'asking' ? question : phase === 'needs you' || phase === 'failed' ? problem : undefined
  return (
    now ?? (verdict?.voidReason && `VOID: ${verdict.voidReason}`) ?? verdict?.reason ?? problem ?? closed?.reason ?? ''
  )
}

function printEnd(session: Session, status: SessionStatus): void {
  const { id, paths } = session
  print()
  print(`${paintState({ status, runnerLiveness: 'alive' })}  ${sanitize(explainState(status))}`)
  for (const clause of status.clauses.filter(known => known.verdict))
    print(`  ${clause.id.padEnd(4)} ${clause.verdict?.padEnd(12)} ${sanitize(clause.sentence)}`)
  print()
  if (status.verdict)
    print(
      `  work     git fetch ${quoteForShell(paths.bareRepository)} judged     (commit ${status.verdict.commit.slice(0, 10)})`,
    )
  if (status.verdict) print(`  judged   independence: ${sanitize(status.verdict.independence)}`)
  print(`  files    ${paths.outputs}`)
  print(`  record   dispatch show ${id.slice(-4)}${status.verdict ? `, ${paths.verdictText}` : ''}`)
  if (isAwaitingApproval(status)) print(paint('bold', `  approve  dispatch approve ${id.slice(-4)}`))
  else if (status.phase === 'asking' || status.phase === 'needs you')
    print(paint('bold', `  answer   dispatch say ${id.slice(-4)} "…", or dispatch attach ${id.slice(-4)}`))
}
