import { z } from 'zod'
import type { ProcessIdentity } from '#host/process'
import type { Start } from './limits.ts'

/** What may start first. `critical` also goes before what is older. */
export const priorities = ['critical', 'high', 'default', 'low'] as const
export type Priority = (typeof priorities)[number]

/** Work that waits for its turn, as it was asked for. */
export interface NewItem {
  /** Asking twice with the same key adds one item. */
  key?: string
  /** The folder of the repository; null for an empty one. */
  repository: string | null
  /** The bytes of the task, which reach the agent as they are. */
  task: Buffer
  title: string
  /** Options of `dispatch "task"`, as they were typed. */
  options: string[]
  priority: Priority
  /** Labels, such as `docs`. */
  tags?: string[]
  /** What a machine must have, such as `gpu`. */
  needs: string[]
  /** It does not start before this time, ISO 8601. */
  notBefore: string | null
  /** Items (`q-17`) and sessions that must have ended with PASS. */
  after: string[]
  /** Where it came from, such as `shell` or the path of a file in an inbox folder. */
  source: string
}

/**
 * Where an item is.
 *
 *   waiting -> starting -> running -> done
 *      ^          |           |
 *      +----------+           +-> needs you -> waiting (a person decided to try again)
 *      +----------------------+
 *
 * Every state but `done` can become `cancelled`. What has ended with a session that a person resumes is `running` again.
 */
export const itemStates = ['waiting', 'starting', 'running', 'needs you', 'done', 'cancelled'] as const
export type ItemState = (typeof itemStates)[number]

/** Without its task, which may be large. */
export interface Item extends Omit<NewItem, 'task'> {
  /** `q-17`. */
  id: string
  state: ItemState
  /** Why it is in this state, for people; empty for a new one. */
  reason: string
  since: string
  enqueuedAt: string
  /** How often it was claimed: the fence of the current claim. */
  attempt: number
  /** How many attempts count as failed. Failures of the environment do not. */
  failures: number
  /** The session of the current attempt, or of the last one. */
  sessionId: string | null
  /** The session of the attempt before. */
  previousSessionId: string | null
  taskBytes: number
}

export type ItemWithTask = Item & Pick<NewItem, 'task'>

/** The right to run one attempt of one item. It ends with the next attempt, even if its process lives. */
export const Fence = z.object({ item: z.string(), attempt: z.number() })
export type Fence = z.infer<typeof Fence>

export interface Claim extends Fence {
  work: ItemWithTask
}

/** Who claims, and what there is room for. */
export interface Claimant {
  process: ProcessIdentity
  /** What this machine has. */
  capabilities: string[]
  /** How many items at the most. */
  slots: number
  /** How many more sessions each repository may have (`''` is work without one); the others may have `defaultRoom`. */
  roomByRepository: Record<string, number>
  defaultRoom: number
}

/**
 * How an attempt ended. `done` is the end, and so is `cancelled`, after a person ended the session. `again` waits for another
 * attempt, and `failed` does so until there were three; then it needs a person. `released` is an attempt that was interrupted
 * before it had a session: nothing has failed.
 */
export type Outcome =
  | { kind: 'done' | 'cancelled' | 'released'; reason: string }
  | { kind: 'failed'; reason: string; notBefore?: string }
  | { kind: 'again'; reason: string; notBefore?: string }
  | { kind: 'needs you'; reason: string }

/** Where a copy of a queue is from. */
export interface CopyOptions {
  /** The id of its home. What was added is known by it, and is not added again. */
  origin: string
  /** Is it of this very home? Then it is an earlier state of its queue, as long as ids mean the same in both, and adds nothing. */
  isOwn: boolean
  /** The session of an attempt that was just starting. */
  findSession(fence: Fence): string | undefined
}

/** Has the queue become the copy, and what was added to it otherwise. */
export interface CopyReport {
  isWhole: boolean
  added: string[]
}

/**
 * A queue of work for one or more machines. Every change happens as a whole or not at all, even if a process dies meanwhile, and
 * is on the disk when the promise resolves.
 */
export interface Queue {
  /** Add items, in this order. Returns their ids, of an earlier item where the key is known. */
  enqueue(items: NewItem[]): Promise<string[]>
  /** Claim what may start now, by priority, then age. Exactly one claimant gets an item. */
  claim(claimant: Claimant): Promise<Claim[]>
  /** Claim this one, which waits or needs a person, because a person starts it now. Undefined in any other state. */
  take(id: string, holder: ProcessIdentity): Promise<Claim | undefined>
  /** Take over a claim whose session is about to be made by another process than the one that claimed. */
  adopt(fence: Fence, holder: ProcessIdentity): Promise<'held' | 'lost'>
  /** Note the session that an attempt has started. A `lost` claim has ended, or a later attempt has taken its place. */
  start(fence: Fence, sessionId: string): Promise<'held' | 'lost'>
  /** Say that the attempt goes on. Any process that knows the fence may. For claims that expire, as those of several machines do. */
  renew(fence: Fence): Promise<'held' | 'lost'>
  /**
   * End an attempt, and add what comes next in the same step. A `stale` fence changes nothing. Once it is done, what needs a person
   * because this had ended otherwise before waits for its turn.
   */
  settle(fence: Fence, outcome: Outcome, next?: NewItem[]): Promise<'settled' | 'stale'>
  /** Say that the session of an attempt that had ended goes on. `lost` if it was done, taken out, or is tried again by now. */
  resume(fence: Fence, sessionId: string): Promise<'held' | 'lost'>
  /** Give an item back whose attempt has not started a session. It uses up no attempt. */
  release(fence: Fence, reason: string): Promise<'settled' | 'stale'>
  /**
   * Look after what was claimed by processes that are gone. Where `findSession` knows the session of the attempt, it runs;
   * otherwise the item is given back. Returns what was given back. `isHostGone`: so are processes of other machines.
   */
  releaseAbandoned(
    findSession: (fence: Fence) => string | undefined,
    options?: { isHostGone?: boolean },
  ): Promise<Fence[]>
  /**
   * Forget who claimed what has no session yet, as after a restore, where those processes are of another time or machine. The next
   * `releaseAbandoned` finds the session of each, or gives it back.
   */
  forgetHolders(): Promise<void>
  /**
   * Add what a copy of a queue has, as of a backup. A queue without items becomes the copy. To another one, what has not ended there is
   * added under new ids.
   */
  addCopy(file: string, options: CopyOptions): Promise<CopyReport>
  /**
   * The ids of what has ended before this time, ISO 8601, and on which nothing waits that has not ended: it can be forgotten. So can
   * its key.
   */
  listForgettable(before: string): Promise<string[]>
  /** Forget these, as far as they still can be, and the starts before this time. Returns how many items are gone. */
  forget(ids: string[], before: string): Promise<number>
  /** The attempts since this time, ISO 8601: when each began, and whether its start has failed. */
  listStarts(since: string): Promise<Start[]>
  /** A person decides about an item that needs one: once more, also without what it came after and has ended, or not at all. */
  decide(id: string, decision: 'again' | 'cancel'): Promise<'done' | 'already'>
  /** Take an item out. Returns false if it has ended before; the session of one that runs is not touched. */
  cancel(id: string, reason: string): Promise<boolean>
  /** Change the priority of an item that waits, or put it before all others of its priority. */
  move(id: string, change: { priority?: Priority; first?: boolean }): Promise<boolean>
  list(states?: readonly ItemState[]): Promise<Item[]>
  /** The item with this id, or with this key. */
  find(idOrKey: string): Promise<ItemWithTask | undefined>
  close(): void
}

/** So many failed attempts, then a person decides. */
export const MAX_FAILURES = 3
