import fs from 'node:fs'
import { DispatchError, exitCodes } from '#host/error.ts'
import { sanitize } from '#host/text.ts'
import type { Session } from '#session'
import { describeEvent, parseEvent, readLog } from '#session/log'
import { computeStatus, type SessionStatus } from '#session/status'
import { Tail } from './tail.ts'
import { formatElapsed, paint } from './terminal.ts'
import { findTranscript, formatTranscriptLine } from './transcript.ts'

/** A file with the output of the runner, the orchestrator or a worker. */
export interface LogSource {
  who: string
  file: string
  isErrorOutput: boolean
  /** A line of the file as lines for a person. */
  formatLine(line: string): string[]
}

/** More than this is not read; what is further back is left out. */
export const MAX_READ_BYTES = 8 * 1024 * 1024

/** The runner's log, the orchestrator's transcript, and the output of each worker. */
export function listSources(session: Session): LogSource[] {
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

/** The sources of one speaker, or all of them. Exit 4 for an unknown speaker. */
export function pickSources(sources: LogSource[], who: string | undefined, { id }: Session): LogSource[] {
  if (who === undefined) return sources
  const picked = sources.filter(source => source.who === who)
  if (picked.length > 0) return picked
  throw new DispatchError(`session ${id} has no output of "${who}"`, {
    exitCode: exitCodes.notFound,
    remedy: `There is output of ${[...new Set(sources.map(source => source.who))].join(', ')}.`,
  })
}

/** The lines of a source, the last one also when it has no line break yet. */
export function readLines({ file, formatLine }: LogSource): string[] {
  const tail = new Tail(file, MAX_READ_BYTES)
  const lines = [...tail.readNewLines()].flatMap(formatLine)
  const rest = tail.readRemainder()
  return rest === '' ? lines : [...lines, ...formatLine(rest)]
}

export function readSizeBytes(file: string): number {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.size ?? 0
}

export function readStatus({ paths }: Session): SessionStatus {
  return computeStatus(readLog(paths.events).events)
}

// --- internal ---

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
