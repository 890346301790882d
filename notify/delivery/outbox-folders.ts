import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, isErrno } from '#host/error.ts'
import { makePrivateFolder, readJson } from '#host/fs'
import { DAY_MS } from '#host/time.ts'
import { type Channel, getOutboxFolders, listNotifications, parseTimeFromName, QueuedNotification } from '../outbox.ts'
import { type OutboxEntry, sortBySequence } from './batch.ts'
import { listExpired } from './retention.ts'

/** The folders of a channel, as its deliverer reads them and moves files between them. */
export class OutboxFolders {
  readonly folders: ReturnType<typeof getOutboxFolders>
  /** What waited at the last scan, in the order of the events. */
  entries: OutboxEntry[] = []
  /** Names of waiting files that have no notification. */
  unreadable: string[] = []
  private readCache = new Map<string, QueuedNotification>()

  constructor(home: string, channel: Channel) {
    this.folders = getOutboxFolders(home, channel)
    for (const folder of Object.values(this.folders)) makePrivateFolder(folder)
  }

  /** Read what waits. Each file is read once. Throws if files cannot be moved away: they would be sent again and again. */
  scan(): void {
    fs.accessSync(this.folders.waiting, fs.constants.W_OK | fs.constants.X_OK)
    const files = listNotifications(this.folders.waiting).map(name => ({
      name,
      queued: this.readCache.get(name) ?? this.readEntry(name),
    }))
    this.entries = sortBySequence(files.flatMap(({ name, queued }) => (queued ? [{ name, queued }] : [])))
    this.unreadable = files.flatMap(({ name, queued }) => (queued === null ? [name] : []))
    this.readCache = new Map(this.entries.map(({ name, queued }) => [name, queued]))
  }

  /** Move files that are finished: sent, or given up. */
  moveFinished(names: string[], target: 'sent' | 'dead'): void {
    for (const name of names) this.move(name, target)
    const moved = new Set(names)
    this.entries = this.entries.filter(({ name }) => !moved.has(name))
    this.unreadable = this.unreadable.filter(name => !moved.has(name))
  }

  /** Where a file is that no longer waits; undefined if it is in neither folder. */
  findFolder(name: string): 'sent' | 'dead' | undefined {
    return (['sent', 'dead'] as const).find(folder => fs.existsSync(path.join(this.folders[folder], name)))
  }

  /** Delete what is kept no longer. */
  prune(now: number): void {
    for (const file of listExpired(this.folders, now)) fs.rmSync(file, { force: true })
  }

  /** A dead letter is dated by the time it was given up, not by its event. */
  private move(name: string, target: 'sent' | 'dead'): void {
    const file = path.join(this.folders.waiting, name)
    try {
      if (target === 'dead') fs.utimesSync(file, new Date(), new Date())
      makePrivateFolder(this.folders[target])
      fs.renameSync(file, path.join(this.folders[target], name))
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return // It was moved before.
      if (target === 'dead') throw error // It stays, and is reported as waiting.
      fs.rmSync(file, { force: true, recursive: true }) // A gap in `sent` is better than sending it again for ever.
    }
  }

  /** Null if the file has no notification, or could not be read for a day; undefined if it may be readable later. */
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
}
