import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, isErrno } from '#host/error.ts'
import { listNames, makePrivateFolder, readJson } from '#host/fs'
import { type Channel, getOutboxFolders, QueuedNotification } from '../outbox.ts'
import { type OutboxEntry, sortBySequence } from './batch.ts'

const DAY_MS = 24 * 3600 * 1000
const fileNamePattern = /^(\d{15})-[a-z0-9-]{1,120}\.json$/

/** The three folders of a channel, as its deliverer sees and moves what lies there. */
export class OutboxFolders {
  readonly folders: ReturnType<typeof getOutboxFolders>
  /** In the order of the facts, as it was at the last look. */
  entries: OutboxEntry[] = []
  /** Names of files here that hold no message. */
  unreadable: string[] = []
  private readCache = new Map<string, QueuedNotification>()

  constructor(home: string, channel: Channel) {
    this.folders = getOutboxFolders(home, channel)
    for (const folder of Object.values(this.folders)) makePrivateFolder(folder)
  }

  /** See what waits now. Every file is read once. Throws where nothing could be moved away, for that would go again and again. */
  scan(): void {
    fs.accessSync(this.folders.waiting, fs.constants.W_OK | fs.constants.X_OK)
    const names = listNames(this.folders.waiting).filter(name => parseTimeFromName(name) > 0)
    const all = names.map(name => ({ name, message: this.readCache.get(name) ?? this.readEntry(name) }))
    this.entries = sortBySequence(all.flatMap(({ name, message: queued }) => (queued ? [{ name, queued }] : [])))
    this.unreadable = all.flatMap(({ name, message }) => (message === null ? [name] : []))
    this.readCache = new Map(this.entries.map(({ name, queued }) => [name, queued]))
  }

  /** These are done with: taken by the server, or given up. */
  moveFinished(names: string[], to: 'sent' | 'dead'): void {
    for (const name of names) this.move(name, to)
    const gone = new Set(names)
    this.entries = this.entries.filter(({ name }) => !gone.has(name))
    this.unreadable = this.unreadable.filter(name => !gone.has(name))
  }

  /** Where a message that does not wait has gone; undefined when it lies in no folder at all. */
  findFolder(name: string): 'sent' | 'dead' | undefined {
    return (['sent', 'dead'] as const).find(folder => fs.existsSync(path.join(this.folders[folder], name)))
  }

  /** What was taken is kept for 7 days, what was given up for 30, and of each at most 5,000. */
  prune(now: number): void {
    const rules = { sent: 7 * DAY_MS, dead: 30 * DAY_MS }
    for (const to of ['sent', 'dead'] as const) {
      const names = listNames(this.folders[to]).filter(name => fileNamePattern.test(name))
      const old = names.filter((name, at) => now - parseTimeFromName(name) > rules[to] || at < names.length - 5000)
      for (const name of old) fs.rmSync(path.join(this.folders[to], name), { force: true })
    }
    for (const name of listNames(this.folders.waiting).filter(name => name.startsWith('.tmp-')))
      this.dropAbandonedDraft(name, now)
  }

  /** A file given up is dated by that moment, not by its fact. */
  private move(name: string, to: 'sent' | 'dead'): void {
    const from = path.join(this.folders.waiting, name)
    try {
      if (to === 'dead') fs.utimesSync(from, new Date(), new Date())
      makePrivateFolder(this.folders[to])
      fs.renameSync(from, path.join(this.folders[to], name))
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return // It has been moved before.
      if (to === 'dead') throw error // It stays where it is, and is shown as waiting.
      fs.rmSync(from, { force: true, recursive: true }) // Better a gap in what was sent than a notice that never ends.
    }
  }

  /** Null when it holds none, or could not be read for a day; undefined when it cannot be read now, and perhaps later. */
  private readEntry(name: string): QueuedNotification | null | undefined {
    const file = path.join(this.folders.waiting, name)
    try {
      return fs.lstatSync(file).isFile() ? (QueuedNotification.safeParse(readJson(file)).data ?? null) : null
    } catch (error) {
      if (error instanceof DispatchError) return Date.now() - parseTimeFromName(name) > DAY_MS ? null : undefined
      if (isErrno(error, 'ENOENT', 'EMFILE', 'ENFILE')) return undefined
      throw error
    }
  }

  /** The draft of a poster that was killed. */
  private dropAbandonedDraft(name: string, now: number): void {
    const draft = path.join(this.folders.waiting, name)
    const { mtimeMs = now } = fs.statSync(draft, { throwIfNoEntry: false }) ?? {}
    if (now - mtimeMs > DAY_MS) fs.rmSync(draft, { force: true })
  }
}

/** The id of the message in a file of this name. Pure. */
export function parseIdFromName(name: string): string {
  return name.slice(16, -'.json'.length)
}

/** When the fact happened that a file of this name tells; 0 for any other name. Pure. */
export function parseTimeFromName(name: string): number {
  return Number(fileNamePattern.exec(name)?.[1] ?? 0)
}
