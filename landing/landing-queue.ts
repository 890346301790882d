import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { listNames, makePrivateFolder, readJson, toStorageError, writeAtomic } from '#host/fs'
import { git } from '#host/git'
import { sha256 } from '#host/hash.ts'
import { Entry, type EntryState, type Landing } from './entry.ts'

/** The folder of a repository's queue: one for all its checkouts and branches, because each landing changes what the next one lands on. */
export async function getLandingFolder(home: string, checkout: string): Promise<string> {
  const common = await git(['rev-parse', '--path-format=absolute', '--git-common-dir'], { cwd: checkout })
  return path.join(home, 'landing', sha256(common).slice(0, FOLDER_NAME_CHARS))
}

/** The queues of all repositories that have one. */
export function listLandingQueues(home: string): LandingQueue[] {
  const folder = path.join(home, 'landing')
  return listNames(folder)
    .map(name => path.join(folder, name))
    .filter(each => fs.existsSync(path.join(each, stateFolders.ended)))
    .map(each => new LandingQueue(each))
}

/** The lease of the one process that lands what waits in this folder. */
export function getLanderLease(folder: string): string {
  return path.join(folder, 'lander')
}

/**
 * The queue of one repository. Each session has one file, which lies in the folder of its state. To move it there is one step that
 * succeeds for one process only, so that an entry cannot be dropped and landed, and none is lost if a process dies.
 */
export class LandingQueue {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** Every entry, the oldest first. */
  list(): Landing[] {
    const states = Object.keys(stateFolders) as EntryState[]
    return states
      .flatMap(state => listNames(this.getFolder(state)).flatMap(name => this.read(name, state)))
      .sort((a, b) => (a.addedAt < b.addedAt ? -1 : a.addedAt > b.addedAt ? 1 : 0))
  }

  find(session: string): Landing | undefined {
    return this.list().findLast(entry => entry.session === session)
  }

  /** Put a session in, or in again: what waited with other options, or had ended, is replaced. One that lands just now stays. */
  add(entry: Entry): void {
    for (const state of Object.keys(stateFolders) as EntryState[]) makePrivateFolder(this.getFolder(state))
    if (fs.existsSync(this.getFile('landing', entry.session))) return
    this.write('waiting', entry)
    for (const state of ['sent back', 'ended'] as const) fs.rmSync(this.getFile(state, entry.session), { force: true })
    this.removeOldEnded()
  }

  /** Begin to land it. Only the lander may. Returns false if it does not wait any more. */
  claim({ session }: Entry): boolean {
    return this.move(session, 'waiting', 'landing')
  }

  /** It waits again, with what has changed. */
  putBack(entry: Landing, changes: Partial<Entry>): void {
    if (!this.isStillIn(entry)) return
    this.write(entry.state, { ...entry, ...changes, since: new Date().toISOString() })
    if (entry.state !== 'waiting') this.move(entry.session, entry.state, 'waiting')
  }

  /** A new attempt at its task is made. */
  sendBack(entry: Landing, changes: Pick<Entry, 'retryItem' | 'reason'>): void {
    if (!this.isStillIn(entry)) return
    this.write(entry.state, { ...entry, ...changes, since: new Date().toISOString() })
    this.move(entry.session, entry.state, 'sent back')
  }

  /** The new attempt has its PASS: its session takes the place of the earlier one. */
  replace(entry: Landing, next: Pick<Entry, 'session' | 'files' | 'size' | 'into'>): void {
    const { addedAt } = entry
    this.add({ ...entry, ...next, addedAt, retryItem: null, reason: '', since: new Date().toISOString() })
    fs.rmSync(this.getFile(entry.state, entry.session), { force: true })
  }

  end(entry: Landing, outcome: Pick<Entry, 'outcome' | 'reason' | 'error'>): void {
    if (!this.isStillIn(entry)) return
    this.write(entry.state, { ...entry, ...outcome, since: new Date().toISOString() })
    if (entry.state !== 'ended') this.move(entry.session, entry.state, 'ended')
  }

  /** Take it out. Returns false if it lands just now, or has ended. */
  drop(session: string, reason: string, states: EntryState[] = ['waiting', 'sent back']): boolean {
    const state = states.find(each => this.move(session, each, 'ended'))
    const [entry] = state === undefined ? [] : this.read(`${session}.json`, 'ended')
    if (entry === undefined) return false
    this.end(entry, { outcome: 'dropped', reason, error: null })
    return true
  }

  /** Have what a lander that was killed was landing wait again. Only the lander may. */
  recover(): void {
    for (const name of listNames(this.getFolder('landing'))) {
      const session = path.basename(name, '.json')
      const [entry] = this.read(name, 'landing')
      this.move(session, 'landing', entry?.outcome ? 'ended' : 'waiting')
    }
  }

  // --- internal ---

  private getFolder(state: EntryState): string {
    return path.join(this.folder, stateFolders[state])
  }

  private getFile(state: EntryState, session: string): string {
    return path.join(this.getFolder(state), `${session}.json`)
  }

  /** The person at its shell may have interrupted it meanwhile. */
  private isStillIn({ state, session }: Landing): boolean {
    return fs.existsSync(this.getFile(state, session))
  }

  private write(state: EntryState, entry: Entry): void {
    writeAtomic(this.getFile(state, entry.session), `${JSON.stringify(Entry.parse(entry), null, 2)}\n`)
  }

  /** Nothing for a file that was moved meanwhile, or that cannot be understood. */
  private read(name: string, state: EntryState): Landing[] {
    const file = path.join(this.getFolder(state), name)
    const entry = name.endsWith('.json') ? Entry.safeParse(readJson(file)).data : undefined
    if (entry === undefined) return []
    const outcome = state === 'ended' ? (entry.outcome ?? 'dropped') : entry.outcome
    return [{ ...entry, state, outcome }]
  }

  private move(session: string, from: EntryState, to: EntryState): boolean {
    try {
      fs.renameSync(this.getFile(from, session), this.getFile(to, session))
      return true
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false
      throw toStorageError(this.getFile(to, session), error)
    }
  }

  /** What needs a person stays. */
  private removeOldEnded(): void {
    const ended = this.list().filter(({ state, outcome }) => state === 'ended' && outcome !== 'needs you')
    for (const { session } of ended.slice(0, -MAX_ENDED_COUNT))
      fs.rmSync(this.getFile('ended', session), { force: true })
  }
}

// --- internal ---

const FOLDER_NAME_CHARS = 32
const MAX_ENDED_COUNT = 200

const stateFolders: Record<EntryState, string> = {
  waiting: 'waiting',
  landing: 'landing',
  'sent back': 'sent-back',
  ended: 'ended',
}
