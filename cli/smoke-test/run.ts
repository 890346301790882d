import path from 'node:path'
import { type Config, installFolder } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { type ChannelTest, testChannels } from '#notify'
import { findSession, type Session } from '#session'
import { readLog } from '#session/log'
import { computeStatus, readView } from '#session/status'
import { readCost, type SessionCost } from '../session-cost.ts'

export interface SmokeResult {
  id: string
  state: string
  exitCode: number
  /** From the task to the verdict. */
  seconds: number
  cost: SessionCost
  /** How the notification of the success went out. */
  channelTests: ChannelTest[]
}

/** Start the session with `bin/dispatch`, as a user would. Returns the exit code when it does not start. */
export async function startSession(task: string, config: Config): Promise<Session | number> {
  const result = await runProgram('/bin/sh', [entryPoint, '--json', '--no-repo', '--', task])
  if (result.exitCode === 0) return findSession(config.workspace, String(JSON.parse(result.stdout).id))
  process.stderr.write(result.stderr)
  return result.exitCode ?? exitCodes.internal
}

/** The result of a session that has ended. A session that passed is closed; another one stays open to be inspected. */
export async function collectResult(session: Session, exitCode: number, config: Config): Promise<SmokeResult> {
  const { state, status } = await readView(session)
  if (status.phase === status.verdict?.verdict) await waitForTurnEnd(session)
  const hasPassed = exitCode === exitCodes.ok
  const notification = {
    title: 'Dispatch: smoke test passed',
    body: `the smoke test ${session.id} passed in round ${status.round}`,
    priority: 3,
    tags: ['tada'],
  }
  const channelTests = hasPassed ? await testChannels(notification, config) : []
  if (hasPassed) await runProgram('/bin/sh', [entryPoint, 'stop', session.id], { timeoutMs: STOP_TIMEOUT_MS })
  const endedAt = Date.parse(status.verdict?.time ?? status.lastEventAt)
  const seconds = Math.round((endedAt - Date.parse(status.openedAt)) / 1000)
  return { id: session.id, state, exitCode, seconds, cost: readCost(session), channelTests }
}

// --- internal ---

const entryPoint = path.join(installFolder, 'bin/dispatch')
const STOP_TIMEOUT_MS = 60_000
const TURN_TIMEOUT_MS = 60_000
const POLL_INTERVAL_MS = 250

/** After the verdict, the orchestrator still ends its turn, which is part of the cost. */
async function waitForTurnEnd({ paths }: Session): Promise<void> {
  for (const end = Date.now() + TURN_TIMEOUT_MS; Date.now() < end; ) {
    const { events } = readLog(paths.events)
    const later = events.slice(events.findLastIndex(event => event.type === 'verdict.given'))
    if (later.some(event => event.type === 'turn.ended') || computeStatus(events).closed) return
    await new Promise(resolve => setTimeout(resolve, POLL_INTERVAL_MS))
  }
}
