import fs from 'node:fs'
import os from 'node:os'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
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
import { readLeaseHolder } from '#session/lease'
import { readLog } from '#session/log'
import { computeStatus, isSettled, readAllViews } from '#session/status'
import { reviveSessions } from '#watchdog'

/**
 * Leave a human's word for the session's runner, and come back with what became of it. A runner that is gone gets a
 * successor; where there can be none, the word is taken back and refused. `patience` is how many seconds it may wait for
 * the input line.
 */
export async function sendMessage(
  session: Session,
  config: Config,
  content: MessageContent,
  timeoutSeconds: number,
): Promise<string> {
  refuseNewerFormat(session)
  assertNotEnded(session)
  const over = Date.now() + timeoutSeconds * 1000 + REPLY_GRACE_MS
  const deadline = new Date(Date.now() + timeoutSeconds * 1000).toISOString()
  const id = storeMessage(session, { ...content, deadline, sender: await identifySelf() })
  fs.openSync(getMessageFile(session.paths, id), 'r') // Held open until we end: by this the runner knows whose word it is.
  for (let revivedAt = 0; ; await new Promise(resolve => setTimeout(resolve, 100))) {
    const answer = readMessageReply(session, id)
    if (answer?.exit === exitCodes.ok) return answer.text
    if (answer) throw createRefusedError(answer.text, answer.exit)
    if (Date.now() > over) throw createNoReplyError(session, id)
    if (Date.now() - revivedAt < 2000 || (await hasRunner(session))) continue
    if (isEnded(session)) {
      withdrawMessage(session, id)
      assertNotEnded(session)
    }
    if (!(await isOpen(session, config)) && isSettled(computeStatus(readLog(session.paths.events).events))) {
      withdrawMessage(session, id)
      throw createRefusedError('its terminal is gone, so there is no orchestrator to say it to', exitCodes.conflict)
    }
    await reviveSessions(await readAllViews(config.workspace), config, launchSuccessor)
    revivedAt = Date.now()
  }
}

/** A word may not hold what a terminal acts on: an escape could end the paste and type on by itself. Exit 2. */
export function parsePlainText(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes).replace(/\r\n/g, '\n')
  const found = controlCharacters.exec(text)
  if (found === null) return text
  const line = text.slice(0, found.index).split('\n').length
  throw new DispatchError(
    `line ${line} holds the control character U+${found[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}, which a terminal would act on`,
    { exitCode: exitCodes.usage, remedy: 'Take it out; line breaks and tabs are fine.' },
  )
}

// --- internal ---

/** What a runner may need beyond the time a word may wait: a successor to start, and to see the word arrive. */
const REPLY_GRACE_MS = 60_000

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const controlCharacters = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u

async function identifySelf() {
  const who = await identify(process.pid)
  if (!who) throw new Error('our own process is not to be seen')
  return { ...who, name: os.userInfo().username.slice(0, 60) || 'you' }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new DispatchError('the words are no UTF-8', { exitCode: exitCodes.usage, remedy: 'Save them as UTF-8.' })
  }
}

function isEnded({ paths }: Session): boolean {
  const status = computeStatus(readLog(paths.events).events)
  return status.closed !== undefined || status.phase === 'failed'
}

function assertNotEnded(session: Session): void {
  if (!isEnded(session)) return
  const { closed, problem } = computeStatus(readLog(session.paths.events).events)
  const how = closed
    ? `was closed by ${closed.actor}: ${closed.reason}`
    : `never started: ${problem?.split('\n')[0] ?? ''}`
  throw createRefusedError(`session ${session.id} ${how}`, exitCodes.conflict)
}

async function hasRunner({ paths }: Session): Promise<boolean> {
  const who = readLeaseHolder(paths.runnerLease)
  return who !== undefined && (await checkLiveness(who)) !== 'dead'
}

async function isOpen(session: Session, config: Config): Promise<boolean> {
  return (await openTmux(config.home).listPanes()).some(pane => pane.session === getTmuxSessionName(session))
}

function createNoReplyError(session: Session, id: string): DispatchError {
  const text = withdrawMessage(session, id)
    ? 'no runner took it up'
    : 'unknown: a runner began to type it and has not said what came of it. It may have arrived'
  return createRefusedError(text, exitCodes.deadline)
}

function createRefusedError(why: string, exit: number): DispatchError {
  return new DispatchError(`not delivered: ${why}`, {
    exitCode: exit as DispatchError['exitCode'],
    remedy: 'Nothing was lost: say it again, or sit down at the terminal with `dispatch attach`.',
  })
}
