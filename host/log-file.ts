import fs from 'node:fs'
import path from 'node:path'
import { makePrivateFolder } from './fs/files.ts'

/** A log of this size becomes the previous one, which replaces the one before it. */
export const MAX_LOG_BYTES = 5 << 20

/**
 * Append a line with the time to `<folder>/<name>.log`. A log that cannot be written loses the line: what it tells about goes on.
 */
export function appendLog(folder: string, name: string, text: string, now = new Date()): void {
  const file = getLogFile(folder, name)
  try {
    makePrivateFolder(folder)
    rotateLog(file)
    fs.appendFileSync(file, `${now.toISOString()} ${text}\n`, { mode: 0o600 })
  } catch {
    // There is no other place to say so.
  }
}

/** Begin a log again that has become too long. A process that has it open writes to the end of the previous one. */
export function rotateLog(file: string): void {
  if ((fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES)
    fs.renameSync(file, getPreviousLog(file))
}

/** The last lines of a log and the one before it, oldest first; undefined if nothing was ever written. */
export function readLogTail(folder: string, name: string, lineCount: number): string[] | undefined {
  const file = getLogFile(folder, name)
  const texts = [getPreviousLog(file), file].map(each => (fs.existsSync(each) ? fs.readFileSync(each, 'utf8') : ''))
  if (texts.every(text => text === '')) return undefined
  return texts.join('').trimEnd().split('\n').slice(-lineCount)
}

// --- internal ---

function getLogFile(folder: string, name: string): string {
  return path.join(folder, `${name}.log`)
}

function getPreviousLog(file: string): string {
  return `${file}.1`
}
