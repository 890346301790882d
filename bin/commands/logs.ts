import fs from 'node:fs'
import { type Config, DispatchError, exits, printable, tmuxOf } from '../../host/index.ts'
import { tmuxSession } from '../../runner/index.ts'
import { parseEvent, readLog, type Session, type Status, statusOf, tell } from '../../session/index.ts'
import { chosen } from '../chosen.ts'
import { defineCommand } from '../command.ts'
import { lenientConfig } from '../lenient.ts'
import { Tail } from '../tail.ts'
import { bytes, clock, paint, print, table, title } from '../terminal.ts'
import { transcriptOf, transcriptWords } from '../transcript.ts'

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
    const config = lenientConfig()
    const session = chosen(config, words[0])
    const who = words[1]
    const sources = named(sourcesOf(session), who, session)
    if (values.follow) await follow(session, who)
    else if (who === undefined) await overview(session, sources, config)
    else await whole(session, sources, config)
    return exits.ok
  },
})

/** One file in which somebody's words stand. */
interface Source {
  who: string
  file: string
  /** A line of the file, as lines for people. */
  words(line: string): string[]
}

function sourcesOf(session: Session): Source[] {
  const { paths, opening } = session
  const transcript = transcriptOf(session)
  const story = (line: string) => storyWords(line, Date.parse(opening.openedAt))
  return [
    { who: 'runner', file: paths.events, words: story },
    ...(transcript === undefined ? [] : [{ who: 'orchestrator', file: transcript, words: transcriptWords }]),
    ...statusNow(session).workers.flatMap(({ name }) => {
      const { screen, errors } = paths.worker(name)
      return [
        { who: name, file: screen, words: plain },
        { who: name, file: errors, words: (line: string) => [paint('red', `stderr: ${printable(line)}`)] },
      ]
    }),
  ]
}

function named(sources: Source[], who: string | undefined, { id }: Session): Source[] {
  if (who === undefined) return sources
  const found = sources.filter(source => source.who === who)
  if (found.length > 0) return found
  throw new DispatchError(`in session ${id} nothing is there of "${who}"`, {
    exit: exits.notFound,
    remedy: `There is: ${[...new Set(sources.map(source => source.who))].join(', ')}.`,
  })
}

/** Everything of one, as far as it goes back. */
async function whole(session: Session, sources: Source[], config: Config): Promise<void> {
  const lines = sources.flatMap(linesOf)
  for (const line of lines) print(line)
  if (lines.length === 0) print(paint('dim', 'nothing yet'))
  if (sources[0]?.who === 'runner') await printWindow(session, config)
}

async function overview(session: Session, sources: Source[], config: Config): Promise<void> {
  print(title(session.id))
  const filled = sources.map(source => ({ ...source, size: sizeOf(source.file) })).filter(({ size }) => size > 0)
  print(table(filled.map(({ who, size, file }) => [`  ${who}`, bytes(size), paint('dim', file)])))
  const matters = new Set(mattersNow(session))
  for (const source of filled.filter(({ who }) => matters.has(who))) {
    const isError = source.file.endsWith('stderr.txt')
    print(`\n${paint('bold', `${source.who}${isError ? ', standard error' : ''}`)}`)
    for (const line of linesOf(source).slice(-20)) print(line)
    if (source.who === 'runner') await printWindow(session, config)
  }
  print(paint('dim', `\nAll of one: dispatch logs ${session.id.slice(-4)} ${filled.at(-1)?.who ?? 'runner'}`))
}

/** Who is to be heard first: the runner, the orchestrator, and workers that work or came to grief; else the last one. */
function mattersNow(session: Session): string[] {
  const { workers } = statusNow(session)
  const busy = workers.filter(({ how, startedAt }) => startedAt !== undefined && how !== 'reported')
  const last = busy.length > 0 ? busy : workers.slice(-1)
  return ['runner', 'orchestrator', ...last.map(({ name }) => name)]
}

/** The last lines of each, then what comes, until nothing more can come. */
async function follow(session: Session, who: string | undefined): Promise<void> {
  const tails = new Map<string, Tail>()
  for (let first = true; ; first = false) {
    const isOver = over(session, who)
    for (const { file, words, who: speaker } of sourcesOf(session)) {
      if (who !== undefined && speaker !== who) continue
      const tail = tails.get(file) ?? new Tail(file, first ? most : undefined)
      tails.set(file, tail)
      const lines = [...tail.fresh()].flatMap(words)
      const prefix = who === undefined ? `${paint('cyan', speaker.padEnd(13))} ` : ''
      for (const line of first ? lines.slice(-20) : lines) if (prefix === '' || line !== '') print(`${prefix}${line}`)
    }
    if (isOver) return
    await new Promise(resolve => setTimeout(resolve, 300))
  }
}

/** Will nothing more come? */
function over(session: Session, who: string | undefined): boolean {
  const { closed, phase, workers } = statusNow(session)
  if (closed !== undefined || phase === 'failed') return true
  return workers.some(({ name, endedAt }) => name === who && endedAt !== undefined)
}

/** A runner that stumbled has left its last words in its window, and nowhere else. */
async function printWindow(session: Session, config: Config): Promise<void> {
  const screen = await tmuxOf(config.home).screen(tmuxSession(session), 'runner')
  const lines = (screen ?? '').split('\n').filter(line => line.trim() !== '')
  if (lines.length === 0) return
  print('its window shows:')
  for (const line of lines.slice(-20)) print(`  | ${printable(line)}`)
}

// --- internal ---

/** What lies further back than this is left out: 8 MiB. */
const most = 8 * 1024 * 1024

function linesOf({ file, words }: Source): string[] {
  const tail = new Tail(file, most)
  const lines = [...tail.fresh()].flatMap(words)
  const rest = tail.rest()
  return rest === '' ? lines : [...lines, ...words(rest)]
}

function storyWords(line: string, openedAt: number): string[] {
  const event = parseEvent(line)
  const moment = event && tell(event)
  if (!event || !moment) return []
  const at = clock(Date.parse(event.at) - openedAt)
  return [
    `${paint('dim', at)}  ${moment.who.padEnd(13)} ${moment.what}`,
    ...moment.details.map(detail => `${' '.repeat(21)} ${detail}`),
  ]
}

function plain(line: string): string[] {
  return [printable(line)]
}

function statusNow({ paths }: Session): Status {
  return statusOf(readLog(paths.events).events)
}

function sizeOf(file: string): number {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.size ?? 0
}
