import fs from 'node:fs'
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { readLeaseHolder } from '#host/lease'
import { checkLiveness, identify } from '#host/process'
import { openTmux } from '#host/tmux'
import {
  getMessageFile,
  getTmuxSessionName,
  launchSuccessor,
  type MessageContent,
  readMessageReply,
  storeMessage,
  withdrawMessage,
} from '#runner'
import { refuseNewerFormat, type Session } from '#session'
import { isSettled, refuseOtherHost, type SessionStatus } from '#session/status'
import { wakeDaemon } from '../background.ts'
import { hasFinalVerdict } from '../close-expired.ts'
import { UsageError } from '../command.ts'
import { startMissingRunners } from '../missing-runners.ts'
import { readStatus } from './session.ts'

/**
 * Store a message for the session's runner, and return the runner's reply. A runner that is gone gets a successor; where none
 * can be started, the message is withdrawn and refused. `timeoutSeconds` is how long it may wait for the input line.
 */
export async function sendMessage(
  session: Session,
  config: Config,
  content: MessageContent,
  timeoutSeconds: number,
): Promise<string> {
  refuseNewerFormat(session)
  refuseEnded(session)
  await refuseOtherHost(session)
  const timeoutMs = timeoutSeconds * 1000
  const deadlineMs = performance.now() + timeoutMs
  const identity = await identify(process.pid)
  if (!identity) throw new Error('this process cannot be identified')
  const sender = { ...identity, name: os.userInfo().username.slice(0, MAX_USER_NAME_CHARACTERS) || 'you' }
  const id = storeMessage(session, { ...content, deadline: new Date(Date.now() + timeoutMs).toISOString(), sender })
  fs.openSync(getMessageFile(session.paths, id), 'r') // Open until this process ends: so the runner verifies the sender.
  for (let restartedAtMs = Number.NEGATIVE_INFINITY; ; await sleep(POLL_INTERVAL_MS)) {
    const reply = readMessageReply(session, id)
    if (reply?.exitCode === exitCodes.ok) {
      await wakeDaemon(config)
      return reply.text
    }
    if (reply) throw createNotDeliveredError(session, reply.text, reply.exitCode as ExitCode)
    if (performance.now() > deadlineMs + REPLY_GRACE_MS) throw createNoReplyError(session, id)
    if (performance.now() - restartedAtMs < RESTART_INTERVAL_MS || (await hasRunner(session))) continue
    await prepareDelivery(session, config, id)
    await startMissingRunners(config, { wanted: session.id })
    restartedAtMs = performance.now()
  }
}

/** The bytes as text. Exit 2 for control characters: a terminal acts on them, and an escape could end the paste. */
export function parsePlainText(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes).replace(/\r\n/g, '\n')
  const match = controlCharacters.exec(text)
  if (match === null) return text
  const line = text.slice(0, match.index).split('\n').length
  const codePoint = match[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')
  throw new UsageError(
    `line ${line} contains the control character U+${codePoint}`,
    'Remove it: a terminal would act on it. Line breaks and tabs are allowed.',
  )
}

/** Does the session have a terminal? */
export async function hasTerminal(session: Session, config: Config): Promise<boolean> {
  return (await openTmux(config.home).listPanes()).some(pane => pane.session === getTmuxSessionName(session))
}

// --- internal ---

const POLL_INTERVAL_MS = 100
const RESTART_INTERVAL_MS = 2000

/** What a runner may need beyond the message's deadline: to start, and to see the message arrive. */
const REPLY_GRACE_MS = 60_000

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const controlCharacters = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u

const MAX_USER_NAME_CHARACTERS = 60

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UsageError('the text is not valid UTF-8', 'Save it as UTF-8.')
  }
}

function refuseEnded(session: Session): void {
  const status = readStatus(session)
  const { closed, phase, problem } = status
  if (closed === undefined && phase !== 'failed') return
  const reason = closed
    ? `was closed by ${closed.actor}: ${closed.reason}`
    : `never started: ${problem?.split('\n')[0] ?? ''}`
  throw new DispatchError(`not delivered: session ${session.id} ${reason}`, {
    exitCode: exitCodes.conflict,
    remedy: explainWayOn(session, status),
  })
}

/** A session that was stopped goes on with its whole conversation. One with its verdict, or that never started, does not. */
function explainWayOn({ id }: Session, status: SessionStatus): string {
  const letters = id.slice(-4)
  return status.phase === 'failed' || hasFinalVerdict(status)
    ? `Its files stay. To try its task again: dispatch retry ${letters} "more context"`
    : `To go on with it, and tell it that: dispatch resume ${letters} "…"`
}

/**
 * Withdraw the message if the session has ended. Start a runner if it waits for a person without any process: it was put to sleep,
 * or the machine was started again. That runner starts claude again.
 */
async function prepareDelivery(session: Session, config: Config, id: string): Promise<void> {
  const status = readStatus(session)
  if (status.closed !== undefined || status.phase === 'failed') {
    withdrawMessage(session, id)
    refuseEnded(session)
  }
  if (!isSettled(status) || (await hasTerminal(session, config))) return
  try {
    await launchSuccessor(session, config)
  } catch (error) {
    if (!(await hasTerminal(session, config))) throw error // Otherwise another command woke it at the same moment.
  }
}

async function hasRunner({ paths }: Session): Promise<boolean> {
  const holder = readLeaseHolder(paths.runnerLease)
  return holder !== undefined && (await checkLiveness(holder)) !== 'dead'
}

function createNoReplyError(session: Session, id: string): DispatchError {
  const reason = withdrawMessage(session, id)
    ? 'no runner picked it up'
    : 'unknown: a runner started to type it but did not report the result. It may have arrived'
  return createNotDeliveredError(session, reason, exitCodes.deadline)
}

function createNotDeliveredError(session: Session, reason: string, exitCode: ExitCode): DispatchError {
  return new DispatchError(`not delivered: ${reason}`, {
    exitCode,
    remedy: `Send it again, or type it yourself: dispatch attach ${session.id.slice(-4)}`,
  })
}
