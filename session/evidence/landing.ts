import { z } from 'zod'
import { readUntrusted } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { parseJson } from '#host/json.ts'
import { outcomeSchema } from '../log/event.ts'
import type { SessionPaths } from '../paths.ts'
import { ClauseVerdict } from './verdict.ts'

const commitSchema = z.object({ commit: z.string(), tree: z.string() })

/**
 * What was found out before a commit was pushed, in `evidence/landing-<number>.json`. The log has its hash, so it is bound to the
 * record of the session like a verdict.
 */
export const LandingRecord = z.object({
  format: z.literal(1),
  sessionId: z.string(),
  /** From 1, for each try. */
  number: z.number(),
  /** The address of the remote, without a password, and the branch there. */
  remote: z.string(),
  branch: z.string(),
  method: z.enum(['squash', 'rebase', 'merge']),
  /** The tip of the branch, on which it lands. */
  target: commitSchema,
  /** What the verdict of the session is about. */
  judged: commitSchema,
  /** What lands. If its tree is the judged one, no check runs again. */
  landed: commitSchema,
  /** The gates of the project, each a command that ran on the tree that lands. */
  gates: z.array(
    z.object({
      command: z.string(),
      outcome: outcomeSchema,
      reason: z.string(),
      milliseconds: z.number(),
      outputTail: z.string(),
      /** What came of it on the branch without the work; only where it is not green with it. */
      targetOutcome: outcomeSchema.optional(),
    }),
  ),
  /** The contract, proved again on this tree; null where it is the judged one. */
  verdict: z
    .object({
      verdict: z.enum(['PASS', 'FAIL', 'INCONCLUSIVE']),
      reason: z.string(),
      judge: z.string(),
      packetSha256: z.string().nullable(),
      /** Of what the judge answered, in `evidence/landing-<number>-judge.json`. */
      answerSha256: z.string(),
      clauses: z.array(ClauseVerdict),
      findings: z.array(z.string()),
    })
    .nullable(),
  /** The evidence of the checks that ran for it: the names of the records and their hashes. */
  evidence: z.array(z.object({ recordId: z.string(), sha256: z.string() })),
  time: z.string(),
})

export type LandingRecord = z.infer<typeof LandingRecord>

/** The exact bytes of its file. */
export function serializeLanding(record: LandingRecord): string {
  return JSON.stringify(record, null, 2)
}

/** Read the record with this hash; undefined if it is missing or was changed. */
export function readLanding(paths: SessionPaths, number: number, expectedSha256: string): LandingRecord | undefined {
  const text = readUntrusted(paths.landingRecord(number), MAX_LANDING_BYTES)?.toString('utf8')
  if (text === undefined || sha256(text) !== expectedSha256) return undefined
  return LandingRecord.safeParse(parseJson(text)).data
}

const MAX_LANDING_BYTES = 4 << 20
