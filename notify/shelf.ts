import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, isErrno, makePrivate, namesIn, readJson } from '../host/index.ts'
import { type Channel, foldersOf, Message } from './outbox.ts'
import { inOrder, type Lying } from './parcel.ts'

const day = 24 * 3600 * 1000
const form = /^(\d{15})-[a-z0-9-]{1,120}\.json$/

/** The three folders of a channel, as its deliverer sees and moves what lies there. */
export class Shelf {
  readonly folders: ReturnType<typeof foldersOf>
  /** In the order of the facts, as it was at the last look. */
  waiting: Lying[] = []
  /** Names of files here that hold no message. */
  unreadable: string[] = []
  private read = new Map<string, Message>()

  constructor(home: string, channel: Channel) {
    this.folders = foldersOf(home, channel)
    for (const folder of Object.values(this.folders)) makePrivate(folder)
  }

  /** See what waits now. Every file is read once. Throws where nothing could be moved away, for that would go again and again. */
  look(): void {
    fs.accessSync(this.folders.waiting, fs.constants.W_OK | fs.constants.X_OK)
    const names = namesIn(this.folders.waiting).filter(name => timeIn(name) > 0)
    const all = names.map(name => ({ name, message: this.read.get(name) ?? this.messageIn(name) }))
    this.waiting = inOrder(all.flatMap(({ name, message }) => (message ? [{ name, message }] : [])))
    this.unreadable = all.flatMap(({ name, message }) => (message === null ? [name] : []))
    this.read = new Map(this.waiting.map(({ name, message }) => [name, message]))
  }

  /** These are done with: taken by the server, or given up. */
  done(names: string[], to: 'sent' | 'dead'): void {
    for (const name of names) this.move(name, to)
    const gone = new Set(names)
    this.waiting = this.waiting.filter(({ name }) => !gone.has(name))
    this.unreadable = this.unreadable.filter(name => !gone.has(name))
  }

  /** Where a message that does not wait has gone; undefined when it lies in no folder at all. */
  placeOf(name: string): 'sent' | 'dead' | undefined {
    return (['sent', 'dead'] as const).find(folder => fs.existsSync(path.join(this.folders[folder], name)))
  }

  /** What was taken is kept for 7 days, what was given up for 30, and of each at most 5,000. */
  prune(now: number): void {
    const rules = { sent: 7 * day, dead: 30 * day }
    for (const to of ['sent', 'dead'] as const) {
      const names = namesIn(this.folders[to]).filter(name => form.test(name))
      const old = names.filter((name, at) => now - timeIn(name) > rules[to] || at < names.length - 5000)
      for (const name of old) fs.rmSync(path.join(this.folders[to], name), { force: true })
    }
    for (const name of namesIn(this.folders.waiting).filter(name => name.startsWith('.tmp-')))
      this.dropIfLeft(name, now)
  }

  /** A file given up is dated by that moment, not by its fact. */
  private move(name: string, to: 'sent' | 'dead'): void {
    const from = path.join(this.folders.waiting, name)
    try {
      if (to === 'dead') fs.utimesSync(from, new Date(), new Date())
      makePrivate(this.folders[to])
      fs.renameSync(from, path.join(this.folders[to], name))
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return // It has been moved before.
      if (to === 'dead') throw error // It stays where it is, and is shown as waiting.
      fs.rmSync(from, { force: true, recursive: true }) // Better a gap in what was sent than a notice that never ends.
    }
  }

  /** Null when it holds none, or could not be read for a day; undefined when it cannot be read now, and perhaps later. */
  private messageIn(name: string): Message | null | undefined {
    const file = path.join(this.folders.waiting, name)
    try {
      return fs.lstatSync(file).isFile() ? (Message.safeParse(readJson(file)).data ?? null) : null
    } catch (error) {
      if (error instanceof DispatchError) return Date.now() - timeIn(name) > day ? null : undefined
      if (isErrno(error, 'ENOENT', 'EMFILE', 'ENFILE')) return undefined
      throw error
    }
  }

  /** The draft of a poster that was killed. */
  private dropIfLeft(name: string, now: number): void {
    const draft = path.join(this.folders.waiting, name)
    const { mtimeMs = now } = fs.statSync(draft, { throwIfNoEntry: false }) ?? {}
    if (now - mtimeMs > day) fs.rmSync(draft, { force: true })
  }
}

/** The id of the message in a file of this name. Pure. */
export function idIn(name: string): string {
  return name.slice(16, -'.json'.length)
}

/** When the fact happened that a file of this name tells; 0 for any other name. Pure. */
export function timeIn(name: string): number {
  return Number(form.exec(name)?.[1] ?? 0)
}
