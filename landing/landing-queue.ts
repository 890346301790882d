import fs from 'node:fs'
import path from 'node:path'
import { isErrno } from '#host/error.ts'
import { listNames, makePrivateFolder, readIfPresent, readJson, toStorageError, writeAtomic } from '#host/fs'
import { git } from '#host/git'
import { sha256 } from '#host/hash.ts'
import { DAY_MS } from '#host/time.ts'
import { Entry, type EntryState, type Landing } from './entry.ts'

/**
 * The folder of a repository's queue: one for all its checkouts and branches, because each landing changes what the next one lands on.
 * Throws for a folder that is not in a repository.
 */
export async function getLandingFolder(home: string, checkout: string): Promise<string> {
  const common = await git(['rev-parse', '--path-format=absolute', '--git-common-dir'], { cwd: checkout })
  return path.join(home, 'landing', sha256(common).slice(0, FOLDER_NAME_CHARS))
}

/** The queues of all repositories that have one. */
export function listLandingQueues(home: string): LandingQueue[] {
  const folder = path.join(home, 'landing')
  return listNames(folder)
    .filter(name => folderName.test(name))
    .map(name => new LandingQueue(path.join(folder, name)))
}

/** A session that lands by itself is put in for so long after something has happened in it, unless it has an entry. */
export const LOOK_BACK_MS = 7 * DAY_MS

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

  /** The file of its pause, in which nothing lands on the repository; see `#host/pause-file.ts`. */
  get pauseFile(): string {
    return path.join(this.folder, 'paused.json')
  }

  /** Every entry, or those in these states, the oldest first. */
  list(states: readonly EntryState[] = entryStates): Landing[] {
    return states
      .flatMap(state => listNames(this.getFolder(state)).flatMap(name => this.read(name, state)))
      .sort((a, b) => (a.addedAt < b.addedAt ? -1 : a.addedAt > b.addedAt ? 1 : 0))
  }

  find(session: string): Landing | undefined {
    return entryStates.flatMap(state => this.read(`${session}.json`, state))[0]
  }

  /** What has not ended. */
  listOpen(): Landing[] {
    return this.list(openStates)
  }

  /** The checkout for which something was last put in; undefined if that was never done. */
  readCheckout(): string | undefined {
    return readIfPresent(this.getCheckoutFile())?.trim()
  }

  /** Remember which repository this queue is of, for people. */
  writeCheckout(checkout: string): void {
    makePrivateFolder(this.folder)
    if (this.readCheckout() !== checkout) writeAtomic(this.getCheckoutFile(), `${checkout}\n`)
  }

  /** Put a session in, in place of what it had here before. The caller has looked that it does not land and was not sent back. */
  add(entry: Entry): void {
    this.prepareFolders(entry)
    for (const state of ['sent back', 'ended'] as const) fs.rmSync(this.getFile(state, entry.session), { force: true })
    this.write('waiting', entry)
    this.removeOldEnded()
  }

  /** Keep what could not be put in, for its person. */
  addEnded(entry: Entry): void {
    this.prepareFolders(entry)
    this.write('ended', entry)
  }

  /** Begin to land it. Only the lander may. Undefined if it does not wait any more. */
  claim({ session }: Entry): Landing | undefined {
    return this.move(session, 'waiting', 'landing') ? this.read(`${session}.json`, 'landing')[0] : undefined
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

  /** The new attempt has its PASS: its session takes the place of the earlier one, also for those that wait for it. */
  replace(entry: Landing, next: Pick<Entry, 'session' | 'files' | 'size' | 'into' | 'retries'>): void {
    const before = {
      retryItem: null,
      reason: '',
      failures: 0,
      refusals: 0,
      undecided: 0,
      notBefore: null,
      outcome: null,
      error: null,
    }
    if (this.find(next.session) === undefined)
      this.add({ ...entry, ...next, ...before, since: new Date().toISOString() })
    const replaceName = (id: string) => (id === entry.session ? next.session : id)
    for (const other of this.listOpen().filter(({ after }) => after.includes(entry.session)))
      this.write(other.state, { ...other, after: other.after.map(replaceName) })
    const reason = `${next.session} lands in its place`
    this.end({ ...entry, replacedBy: next.session }, { outcome: 'replaced', reason, error: null })
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

  /** When an entry last ended or was forgotten, in milliseconds since 1970; 0 before that. */
  readLastEndMs(): number {
    return fs.statSync(this.getFolder('ended'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  }

  // --- internal ---

  private prepareFolders({ checkout }: Entry): void {
    for (const state of entryStates) makePrivateFolder(this.getFolder(state))
    this.writeCheckout(checkout)
  }

  private getFolder(state: EntryState): string {
    return path.join(this.folder, stateFolders[state])
  }

  private getFile(state: EntryState, session: string): string {
    return path.join(this.getFolder(state), `${session}.json`)
  }

  private getCheckoutFile(): string {
    return path.join(this.folder, 'checkout')
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

  /** What needs a person stays, and what would be put in by itself without its entry, such as a session that was taken out. */
  private removeOldEnded(): void {
    if (listNames(this.getFolder('ended')).length <= MAX_ENDED_COUNT) return
    const ended = this.list(['ended']).filter(({ outcome }) => outcome !== 'needs you')
    const oldest = new Date(Date.now() - KEPT_ENDED_MS).toISOString()
    for (const { session, since } of ended.slice(0, -MAX_ENDED_COUNT))
      if (since < oldest) fs.rmSync(this.getFile('ended', session), { force: true })
  }
}

// --- internal ---

const FOLDER_NAME_CHARS = 32
const folderName = /^[0-9a-f]{32}$/
const MAX_ENDED_COUNT = 200
const KEPT_ENDED_MS = LOOK_BACK_MS + DAY_MS

const stateFolders: Record<EntryState, string> = {
  waiting: 'waiting',
  landing: 'landing',
  'sent back': 'sent-back',
  ended: 'ended',
}
const entryStates = Object.keys(stateFolders) as EntryState[]
const openStates = entryStates.filter(state => state !== 'ended')
