import fs from 'node:fs'
import os from 'node:os'
import { type Config, DispatchError, exits, identify, liveness, tmuxOf } from '../host/index.ts'
import { leaveWord, readAnswer, type Said, startSuccessor, tmuxSession, withdraw, wordFile } from '../runner/index.ts'
import { holder, readLog, refuseNewer, type Session, settled, statusOf, viewAll } from '../session/index.ts'
import { revive } from '../watchdog/index.ts'

/**
 * Leave a human's word for the session's runner, and come back with what became of it. A runner that is gone gets a
 * successor; where there can be none, the word is taken back and refused. `patience` is how many seconds it may wait for
 * the input line.
 */
export async function tell(session: Session, config: Config, said: Said, patience: number): Promise<string> {
  refuseNewer(session)
  refuseEnded(session)
  const over = Date.now() + patience * 1000 + grace
  const until = new Date(Date.now() + patience * 1000).toISOString()
  const id = leaveWord(session, { ...said, until, by: await self() })
  fs.openSync(wordFile(session.paths, id), 'r') // Held open until we end: by this the runner knows whose word it is.
  for (let revivedAt = 0; ; await new Promise(resolve => setTimeout(resolve, 100))) {
    const answer = readAnswer(session, id)
    if (answer?.exit === exits.ok) return answer.text
    if (answer) throw refused(answer.text, answer.exit)
    if (Date.now() > over) throw unanswered(session, id)
    if (Date.now() - revivedAt < 2000 || (await hasRunner(session))) continue
    if (isEnded(session)) {
      withdraw(session, id)
      refuseEnded(session)
    }
    if (!(await isOpen(session, config)) && settled(statusOf(readLog(session.paths.events).events))) {
      withdraw(session, id)
      throw refused('its terminal is gone, so there is no orchestrator to say it to', exits.conflict)
    }
    await revive(await viewAll(config.workspace), config, startSuccessor)
    revivedAt = Date.now()
  }
}

/** A word may not hold what a terminal acts on: an escape could end the paste and type on by itself. Exit 2. */
export function plainText(bytes: Uint8Array): string {
  const text = decoded(bytes).replace(/\r\n/g, '\n')
  const found = acting.exec(text)
  if (found === null) return text
  const line = text.slice(0, found.index).split('\n').length
  throw new DispatchError(
    `line ${line} holds the control character U+${found[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}, which a terminal would act on`,
    { exit: exits.usage, remedy: 'Take it out; line breaks and tabs are fine.' },
  )
}

// --- internal ---

/** What a runner may need beyond the time a word may wait: a successor to start, and to see the word arrive. */
const grace = 60_000

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const acting = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u

async function self() {
  const who = await identify(process.pid)
  if (!who) throw new Error('our own process is not to be seen')
  return { ...who, name: os.userInfo().username.slice(0, 60) || 'you' }
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new DispatchError('the words are no UTF-8', { exit: exits.usage, remedy: 'Save them as UTF-8.' })
  }
}

function isEnded({ paths }: Session): boolean {
  const status = statusOf(readLog(paths.events).events)
  return status.closed !== undefined || status.phase === 'failed'
}

function refuseEnded(session: Session): void {
  if (!isEnded(session)) return
  const { closed, trouble } = statusOf(readLog(session.paths.events).events)
  const how = closed ? `was closed by ${closed.by}: ${closed.why}` : `never started: ${trouble?.split('\n')[0] ?? ''}`
  throw refused(`session ${session.id} ${how}`, exits.conflict)
}

async function hasRunner({ paths }: Session): Promise<boolean> {
  const who = holder(paths.runner)
  return who !== undefined && (await liveness(who)) !== 'dead'
}

async function isOpen(session: Session, config: Config): Promise<boolean> {
  return (await tmuxOf(config.home).panes()).some(pane => pane.session === tmuxSession(session))
}

function unanswered(session: Session, id: string): DispatchError {
  const text = withdraw(session, id)
    ? 'no runner took it up'
    : 'unknown: a runner began to type it and has not said what came of it. It may have arrived'
  return refused(text, exits.deadline)
}

function refused(why: string, exit: number): DispatchError {
  return new DispatchError(`not delivered: ${why}`, {
    exit: exit as DispatchError['exit'],
    remedy: 'Nothing was lost: say it again, or sit down at the terminal with `dispatch attach`.',
  })
}
