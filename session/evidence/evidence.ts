import { z } from 'zod'
import { listNames, readJson } from '#host/fs'
import { outcomeSchema } from '../log/event.ts'
import type { SessionPaths } from '../paths.ts'
/** What our own runner saw when it ran one check on one tree: the only thing that counts as evidence. */
export const EvidenceRecord = z.object({
  format: z.literal(1),
  /** `base-C1` (of a later version of the contract `base-v2-C1`) or `round-2-C1`: the record is `evidence/<id>.json`, the whole kept output `evidence/<id>.txt`. */
  id: z.string(),
  clauseId: z.string(),
  side: z.enum(['base', 'head']),
  round: z.number(),
  command: z.string(),
  /** What the contract expects, in words: `exit 0, output contains "34"`. */
  expected: z.string(),
  exitCode: z.number().nullable(),
  outcome: outcomeSchema,
  /** Why it is not green, in words; empty when it is. */
  reason: z.string(),
  milliseconds: z.number(),
  /** The last 4 KiB of the output, stdout and stderr in one. */
  outputTail: z.string(),
  outputBytes: z.number(),
  outputSha256: z.string(),
  commit: z.string(),
  tree: z.string(),
  time: z.string(),
  /** Seconds that one run might take. */
  timeoutSeconds: z.number().default(0),
  /** Every run on this tree, in order. Two with different outcomes make it flaky. */
  runs: z
    .array(
      z.object({
        exitCode: z.number().nullable(),
        outcome: outcomeSchema,
        milliseconds: z.number(),
        outputSha256: z.string(),
      }),
    )
    .default([]),
  /** The programs that the command names, with the version each says of itself. */
  toolVersions: z.record(z.string(), z.string()).default({}),
  machine: z.string().default(''),
  /** Names what the project's dependencies were made from; null where it needs none. */
  dependenciesKey: z.string().nullable().default(null),
  /** What held the command while it ran. */
  sandbox: z.string().default('none'),
  /** The record that this one repeats: the same check on the same tree was not run again. */
  originalId: z.string().optional(),
})

export type EvidenceRecord = z.infer<typeof EvidenceRecord>

/** A record as it stands in its file, byte for byte. */
export function serializeEvidence(record: EvidenceRecord): string {
  return JSON.stringify(record, null, 2)
}

/** Every record of a session that reads as one. */
export function readEvidence(paths: SessionPaths): EvidenceRecord[] {
  return listNames(paths.evidence)
    .filter(name => name.endsWith('.json'))
    .flatMap(name => {
      const parsed = EvidenceRecord.safeParse(readJson(`${paths.evidence}/${name}`))
      return parsed.success ? [parsed.data] : []
    })
}
