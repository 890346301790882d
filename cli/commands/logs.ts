import fs from 'node:fs'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { sanitize } from '#host/text.ts'
import { openTmux } from '#host/tmux'
import { getTmuxSessionName } from '#runner'
import type { Session } from '#session'
import { describeEvent, parseEvent, readLog } from '#session/log'
import { computeStatus, type SessionStatus } from '#session/status'
import { defineCommand } from '../command.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { pickSession } from '../input/pick-session.ts'
import { Tail } from '../output/tail.ts'
import { formatBytes, formatElapsed, formatTable, formatTitle, paint, print } from '../output/terminal.ts'
import { findTranscript, formatTranscriptLine } from '../output/transcript.ts'
export const command = defineCommand({
  about: `
What they said, in their own words: the runner (the story of the log, and what its window shows), the orchestrator (its talk
as claude wrote it down, with what its tools gave back), or a worker by its name (its screen, and its standard error).
Without a name: what there is, and the last lines of what matters now. Without an id: the newest session.
`,
  options: {
    follow: { type: 'boolean', about: 'go on with what comes, until the session is closed (Ctrl-c leaves it)' },
  },
  async run(values, words) {
    const config = readConfigOrDefaults()
    const session = pickSession(config, words[0])
    const who = words[1]
    const sources = pickSources(listSources(session), who, session)
    if (values.follow) await followSources(session, who)
    else if (who === undefined) await printOverview(session, sources, config)
    else await printWhole(session, sources, config)
    return exitCodes.ok
  },
})

/** One file in which somebody's words stand. */
interface LogSource {
  who: string
  file: string
  /** A line of the file, as lines for people. */
  formatLine(line: string): string[]
}

function listSources(session: Session): LogSource[] {
  const { paths, manifest } = session
  const transcript = findTranscript(session)
  const story = (line: string) => formatStoryLine(line, Date.parse(manifest.openedAt))
  return [
    { who: 'runner', file: paths.events, formatLine: story },
    ...(transcript === undefined ? [] : [{ who: 'orchestrator', file: transcript, formatLine: formatTranscriptLine }]),
    ...readStatus(session).workers.flatMap(({ name }) => {
      const { output: screen, errors } = paths.worker(name)
      return [
        { who: name, file: screen, formatLine: toPlainLine },
        { who: name, file: errors, formatLine: (line: string) => [paint('red', `stderr: ${sanitize(line)}`)] },
      ]
    }),
  ]
}

function pickSources(sources: LogSource[], who: string | undefined, { id }: Session): LogSource[] {
  if (who === undefined) return sources
  const found = sources.filter(source => source.who === who)
  if (found.length > 0) return found
  throw new DispatchError(`in session ${id} nothing is there of "${who}"`, {
    exitCode: exitCodes.notFound,
    remedy: `There is: ${[...new Set(sources.map(source => source.who))].join(', ')}.`,
  })
}

/** Everything of one, as far as it goes back. */
async function printWhole(session: Session, sources: LogSource[], config: Config): Promise<void> {
  const lines = sources.flatMap(readLines)
  for (const line of lines) print(line)
  if (lines.length === 0) print(paint('dim', 'nothing yet'))
  if (sources[0]?.who === 'runner') await printWindow(session, config)
}

async function printOverview(session: Session, sources: LogSource[], config: Config): Promise<void> {
  print(formatTitle(session.id))
  const filled = sources.map(source => ({ ...source, size: readSize(source.file) })).filter(({ size }) => size > 0)
  print(formatTable(filled.map(({ who, size, file }) => [`  ${who}`, formatBytes(size), paint('dim', file)])))
  const matters = new Set(listRelevant(session))
  for (const source of filled.filter(({ who }) => matters.has(who))) {
    const isError = source.file.endsWith('stderr.txt')
    print(`\n${paint('bold', `${source.who}${isError ? ', standard error' : ''}`)}`)
    for (const line of readLines(source).slice(-20)) print(line)
    if (source.who === 'runner') await printWindow(session, config)
  }
  print(paint('dim', `\nAll of one: dispatch logs ${session.id.slice(-4)} ${filled.at(-1)?.who ?? 'runner'}`))
}

/** Who is to be heard first: the runner, the orchestrator, and workers that work or came to grief; else the last one. */
function listRelevant(session: Session): string[] {
  const { workers } = readStatus(session)
  const busy = workers.filter(({ ending, startedAt }) => startedAt !== undefined && ending !== 'reported')
  const last = busy.length > 0 ? busy : workers.slice(-1)
  return ['runner', 'orchestrator', ...last.map(({ name }) => name)]
}

/** The last lines of each, then what comes, until nothing more can come. */
async function followSources(session: Session, who: string | undefined): Promise<void> {
  const tails = new Map<string, Tail>()
  for (let first = true; ; first = false) {
    const isOver = isFinished(session, who)
    for (const { file, formatLine, who: speaker } of listSources(session)) {
      if (who !== undefined && speaker !== who) continue
      const tail = tails.get(file) ?? new Tail(file, first ? MAX_READ_BYTES : undefined)
      tails.set(file, tail)
      const lines = [...tail.readNewLines()].flatMap(formatLine)
      const prefix = who === undefined ? `${paint('cyan', speaker.padEnd(13))} ` : ''
      for (const line of first ? lines.slice(-20) : lines) if (prefix === '' || line !== '') print(`${prefix}${line}`)
    }
    if (isOver) return
    await new Promise(resolve => setTimeout(resolve, 300))
  }
}

/** Will nothing more come? */
function isFinished(session: Session, who: string | undefined): boolean {
  const { closed, phase, workers } = readStatus(session)
  if (closed !== undefined || phase === 'failed') return true
  return workers.some(({ name, endedAt }) => name === who && endedAt !== undefined)
}

/** A runner that stumbled has left its last words in its window, and nowhere else. */
async function printWindow(session: Session, config: Config): Promise<void> {
  const screen = await openTmux(config.home).captureText(getTmuxSessionName(session), 'runner')
  const lines = (screen ?? '').split('\n').filter(line => line.trim() !== '')
  if (lines.length === 0) return
  print('its window shows:')
  for (const line of lines.slice(-20)) print(`  | ${sanitize(line)}`)
}

// --- internal ---

/** What lies further back than this is left out: 8 MiB. */
const MAX_READ_BYTES = 8 * 1024 * 1024

function readLines({ file, formatLine }: LogSource): string[] {
  const tail = new Tail(file, MAX_READ_BYTES)
  const lines = [...tail.readNewLines()].flatMap(formatLine)
  const rest = tail.readRemainder()
  return rest === '' ? lines : [...lines, ...formatLine(rest)]
}

function formatStoryLine(line: string, openedAt: number): string[] {
  const event = parseEvent(line)
  const moment = event && describeEvent(event)
  if (!event || !moment) return []
  const at = formatElapsed(Date.parse(event.time) - openedAt)
  return [
    `${paint('dim', at)}  ${moment.actor.padEnd(13)} ${moment.text}`,
    ...moment.details.map(detail => `${' '.repeat(21)} ${detail}`),
  ]
}

function toPlainLine(line: string): string[] {
  return [sanitize(line)]
}

function readStatus({ paths }: Session): SessionStatus {
  return computeStatus(readLog(paths.events).events)
}

function readSize(file: string): number {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.size ?? 0
}
