import type { Config } from '#host/config'
import { sanitize } from '#host/text.ts'
import { openTmux } from '#host/tmux'
import { getTmuxSessionName } from '#runner'
import type { Session } from '#session'
import { type LogSource, listSources, MAX_READ_BYTES, readLines, readSizeBytes, readStatus } from './log-sources.ts'
import { Tail } from './tail.ts'
import { formatBytes, formatTable, formatTitle, paint, print } from './terminal.ts'

/** Everything of one speaker. */
export async function printSources(session: Session, sources: LogSource[], config: Config): Promise<void> {
  const lines = sources.flatMap(readLines)
  for (const line of lines) print(line)
  if (lines.length === 0) print(paint('dim', 'no output yet'))
  if (sources[0]?.who === 'runner') await printRunnerWindow(session, config)
}

/** Each source with its size, then the last lines of those that matter now. */
export async function printOverview(session: Session, sources: LogSource[], config: Config): Promise<void> {
  print(formatTitle(session.id))
  const filled = sources.filter(({ file }) => readSizeBytes(file) > 0)
  print(formatTable(filled.map(({ who, file }) => [`  ${who}`, formatBytes(readSizeBytes(file)), paint('dim', file)])))
  const relevant = new Set(listRelevantSpeakers(session))
  for (const source of filled.filter(({ who }) => relevant.has(who))) {
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
    for (const source of listSources(session)) {
      if (who !== undefined && source.who !== who) continue
      const tail = tails.get(source.file) ?? new Tail(source.file, isFirst ? MAX_READ_BYTES : undefined)
      tails.set(source.file, tail)
      const lines = [...tail.readNewLines()].flatMap(source.formatLine)
      printFollowed(isFirst ? lines.slice(-LAST_LINES) : lines, who === undefined ? source.who : undefined)
    }
    if (isOver) return
    await new Promise(resolve => setTimeout(resolve, FOLLOW_INTERVAL_MS))
  }
}

// --- internal ---

const LAST_LINES = 20
const FOLLOW_INTERVAL_MS = 300

function printFollowed(lines: string[], speaker: string | undefined): void {
  if (speaker === undefined) for (const line of lines) print(line)
  else for (const line of lines.filter(text => text !== '')) print(`${paint('cyan', speaker.padEnd(13))} ${line}`)
}

/** The runner, the orchestrator, and the workers that are running or failed; otherwise the last worker. */
function listRelevantSpeakers(session: Session): string[] {
  const { workers } = readStatus(session)
  const active = workers.filter(({ ending, startedAt }) => startedAt !== undefined && ending !== 'reported')
  const shown = active.length > 0 ? active : workers.slice(-1)
  return ['runner', 'orchestrator', ...shown.map(({ name }) => name)]
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
