import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { toStorageError } from '#host/fs'
import { isSessionId } from '#session'
import { UsageError } from '../command.ts'
import { pickSession, readConfigOrDefaults } from './session.ts'

/** The folder to audit: a path works for a copy on any machine; a name is a session here, however damaged it is. */
export function findAuditFolder(name: string | undefined): string {
  if (name !== undefined && isSessionFolder(name)) return path.resolve(name)
  if (name === '.' || name?.includes('/'))
    throw new DispatchError(`${path.resolve(name)} has neither a session.json nor an events.jsonl`, {
      exitCode: exitCodes.notFound,
      remedy: 'Name the folder of a session.',
    })
  const config = readConfigOrDefaults()
  const folder = path.join(config.workspace, name ?? '')
  if (name !== undefined && isSessionId(name) && isSessionFolder(folder)) return folder
  return pickSession(config, name).paths.folder
}

/** The head of a log as a person copies it: 16 to 64 hexadecimal digits, with or without the words before it. */
export function parseLogHead(text: string): string {
  const [, head] = /^(?:[a-z ]+ )?([0-9a-f]{16,64})…?$/.exec(text.trim().toLowerCase()) ?? []
  if (head !== undefined) return head
  throw new UsageError(
    `--head is not the head of a log: ${JSON.stringify(text.slice(0, MAX_SHOWN_CHARS))}`,
    'It has 16 to 64 digits (0-9, a-f), as in the notification of the verdict.',
  )
}

// --- internal ---

const MAX_SHOWN_CHARS = 100

function isSessionFolder(folder: string): boolean {
  try {
    const names = ['session.json', 'events.jsonl']
    return names.some(name => fs.lstatSync(path.join(folder, name), { throwIfNoEntry: false }) !== undefined)
  } catch (error) {
    throw toStorageError(folder, error)
  }
}
