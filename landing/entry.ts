import { z } from 'zod'
import { ProcessIdentity } from '#host/process'
import { landingAuthors, landingMethods } from '#session/landing'

/** Where a session is on its way to the branch. `sent back`: a new attempt at its task runs, or waits in the queue of starts. */
export type EntryState = 'waiting' | 'landing' | 'sent back' | 'ended'

/** One session that is to land, as it was asked for. */
export const Entry = z.object({
  format: z.literal(1),
  session: z.string(),
  /** The checkout whose remote it goes to. */
  checkout: z.string(),
  /** The branch of the remote; null: the one that the session started from. */
  into: z.string().nullable(),
  method: z.enum(landingMethods),
  author: z.enum(landingAuthors),
  /** Sessions that must have landed before. */
  after: z.array(z.string()),
  /** The files that the work changes. */
  files: z.array(z.string()),
  /** How many files it counts as, when the smallest goes first. */
  size: z.number(),
  addedAt: z.iso.datetime(),
  /** The command at a shell that waits for the result. */
  attendedBy: ProcessIdentity.nullable(),
  /** After a conflict, or where something is not green, a new attempt is made by itself. */
  sendsBack: z.boolean(),
  /** How many new attempts were made because of a conflict, or because something was not green. */
  retries: z.number(),
  /** The item of the queue of starts with the new attempt. */
  retryItem: z.string().nullable(),
  /** How often in a row something could not be reached, and how often a push failed or was refused. */
  failures: z.number(),
  refusals: z.number(),
  /** How often in a row the judge gave no answer, a check could not run, or the branch itself was not green. */
  undecided: z.number(),
  /** Not before this time. */
  notBefore: z.iso.datetime().nullable(),
  /** Why it waits, was sent back or has ended; empty for a new one. */
  reason: z.string(),
  since: z.iso.datetime(),
  /** How it has ended; null before. `replaced`: a new attempt lands in its place. */
  outcome: z.enum(['landed', 'not landed', 'needs you', 'dropped', 'replaced']).nullable(),
  /** The session that lands in its place. */
  replacedBy: z.string().nullable(),
  /** The error that ended it, if it was one. */
  error: z.object({ message: z.string(), remedy: z.string(), exitCode: z.number() }).nullable(),
})

export type Entry = z.infer<typeof Entry>

/** An entry, and where it is. */
export interface Landing extends Entry {
  state: EntryState
}
