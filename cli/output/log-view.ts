import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { Tail } from '#host/tail.ts'
import { sanitize } from '#host/text.ts'
import { openTmux } from '#host/tmux'
import { getTmuxSessionName } from '#runner'
import type { Session } from '#session'
import { describeEvent, parseEvent } from '#session/log'
import { readStatus } from '../input/session.ts'
import { formatBytes, formatElapsed, formatTable, formatTitle, paint, print } from './terminal.ts'
import { findTranscript, formatTranscriptLine } from './transcript.ts'

/** A file with the output of the runner, the orchestrator or a worker. */
interface LogSource {
  who: string
  file: string
  isErrorOutput: boolean
  /** A line of the file as lines for a person. */
  formatLine(line: string): string[]
}

/** The runner's log, the orchestrator's transcript, and the output of each worker; or those of one. Exit 4 for an unknown one. */
export function listSources(session: Session, who?: string): LogSource[] {
  const sources = listAllSources(session)
  if (who === undefined) return sources
  const picked = sources.filter(source => source.who === who)
  if (picked.length > 0) return picked
  throw new DispatchError(`session ${session.id} has no output of "${who}"`, {
    exitCode: exitCodes.notFound,
    remedy: `Output exists for: ${[...new Set(sources.map(source => source.who))].join(', ')}.`,
  })
}

/** Everything of one speaker. */
export async function printSources(session: Session, sources: LogSource[], config: Config): Promise<void> {
  const lines = sources.flatMap(readLines)
  for (const line of lines) print(line)
  if (lines.length === 0) print(paint('dim', 'no output yet'))
  if (sources[0]?.who === 'runner') await printRunnerWindow(session, config)
}

/** Each source with its size, then the last lines of runner, orchestrator and the workers that matter now. */
export async function printOverview(session: Session, sources: LogSource[], config: Config): Promise<void> {
  print(formatTitle(session.id))
  const filled = sources
    .map(source => ({ ...source, bytes: fs.lstatSync(source.file, { throwIfNoEntry: false })?.size ?? 0 }))
    .filter(({ bytes }) => bytes > 0)
  print(formatTable(filled.map(({ who, file, bytes }) => [`  ${who}`, formatBytes(bytes), paint('dim', file)])))
  const { workers } = readStatus(session)
  const active = workers.filter(({ ending, startedAt }) => startedAt !== undefined && ending !== 'reported')
  const shown = active.length > 0 ? active : workers.slice(-1)
  const relevant = ['runner', 'orchestrator', ...shown.map(({ name }) => name)]
  for (const source of filled.filter(({ who }) => relevant.includes(who))) {
    print(`\n${paint('bold', `${source.who}${source.isErrorOutput ? ', standard error' : ''}`)}`)
    for (const line of readLines(source).slice(-LAST_LINES)) print(line)
    if (source.who === 'runner') await printRunnerWindow(session, config)
  }
  const last = filled.at(-1)?.who ?? 'runner'
  print(paint('dim', `\nEverything of one: dispatch logs ${session.id.slice(-4)} ${last}`))
}

/** The last lines of each source, then new ones until the session, or this worker, has ended. */
export async function followSources(session: Session, who: string | undefined): Promise<void> {
  const tails = new Map<string, Tail>()
  for (let isFirst = true; ; isFirst = false) {
    const isOver = hasEnded(session, who) // Read before the lines, so that the last ones are not missed.
    for (const source of listAllSources(session)) {
      if (who !== undefined && source.who !== who) continue
      const tail = tails.get(source.file) ?? new Tail(source.file, isFirst ? MAX_READ_BYTES : undefined)
      tails.set(source.file, tail)
      const lines = [...tail.readNewLines()].flatMap(source.formatLine)
      for (const line of isFirst ? lines.slice(-LAST_LINES) : lines)
        if (who !== undefined) print(line)
        else if (line !== '') print(`${paint('cyan', source.who.padEnd(13))} ${line}`)
    }
    if (isOver) return
    await sleep(FOLLOW_INTERVAL_MS)
  }
}

// --- internal ---

const LAST_LINES = 20
const FOLLOW_INTERVAL_MS = 300

/** More than this is not read; what is further back is left out. */
const MAX_READ_BYTES = 8 * 1024 * 1024

function listAllSources(session: Session): LogSource[] {
  const { paths, manifest } = session
  const transcript = findTranscript(session)
  const openedAt = Date.parse(manifest.openedAt)
  const source = (who: string, file: string, formatLine: LogSource['formatLine']): LogSource => {
    return { who, file, isErrorOutput: false, formatLine }
  }
  return [
    source('runner', paths.events, line => formatEventLine(line, openedAt)),
    ...(transcript === undefined ? [] : [source('orchestrator', transcript, formatTranscriptLine)]),
    ...readStatus(session).workers.flatMap(({ name }) => {
      const { output, errors } = paths.worker(name)
      return [
        source(name, output, line => [sanitize(line)]),
        { ...source(name, errors, line => [paint('red', `stderr: ${sanitize(line)}`)]), isErrorOutput: true },
      ]
    }),
  ]
}

function formatEventLine(line: string, openedAt: number): string[] {
  const event = parseEvent(line)
  const description = event && describeEvent(event)
  if (!event || !description) return []
  const elapsed = formatElapsed(Date.parse(event.time) - openedAt)
  return [
    `${paint('dim', elapsed)}  ${description.actor.padEnd(13)} ${description.text}`,
    ...description.details.map(detail => `${' '.repeat(21)} ${detail}`),
  ]
}

/** The lines of a source, the last one also when it has no line break yet. */
function readLines({ file, formatLine }: LogSource): string[] {
  const tail = new Tail(file, MAX_READ_BYTES)
  const lines = [...tail.readNewLines()].flatMap(formatLine)
  const rest = tail.readRemainder()
  return rest === '' ? lines : [...lines, ...formatLine(rest)]
}

function hasEnded(session: Session, who: string | undefined): boolean {
  const { closed, phase, workers } = readStatus(session)
  if (closed !== undefined || phase === 'failed') return true
  return workers.some(({ name, endedAt }) => name === who && endedAt !== undefined)
}

/** A runner that crashed has left its last messages only in its window. */
async function printRunnerWindow(session: Session, config: Config): Promise<void> {
  const screen = await openTmux(config.home).captureText(getTmuxSessionName(session), 'runner')
  const lines = (screen ?? '').split('\n').filter(line => line.trim() !== '')
  if (lines.length === 0) return
  print('its window:')
  for (const line of lines.slice(-LAST_LINES)) print(`  | ${sanitize(line)}`)
}
