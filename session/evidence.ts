import { z } from 'zod'
import { namesIn, readJson } from '../host/index.ts'
import { outcome } from './event.ts'
import type { Paths } from './paths.ts'

/** What our own runner saw when it ran one check on one tree: the only thing that counts as evidence. */
export const EvidenceRecord = z.object({
  format: z.literal(1),
  /** `base-C1` or `round-2-C1`: the record is `evidence/<id>.json`, the whole kept output `evidence/<id>.txt`. */
  id: z.string(),
  clause: z.string(),
  side: z.enum(['base', 'head']),
  round: z.number(),
  command: z.string(),
  /** What the contract expects, in words: `exit 0, output contains "34"`. */
  expected: z.string(),
  exit: z.number().nullable(),
  outcome,
  /** Why it is not green, in words; empty when it is. */
  why: z.string(),
  milliseconds: z.number(),
  /** The last 4 KiB of the output, stdout and stderr in one. */
  tail: z.string(),
  outputBytes: z.number(),
  outputSha256: z.string(),
  commit: z.string(),
  tree: z.string(),
  at: z.string(),
})

export type EvidenceRecord = z.infer<typeof EvidenceRecord>

/** A record as it stands in its file, byte for byte. */
export function evidenceText(record: EvidenceRecord): string {
  return JSON.stringify(record, null, 2)
}

/** Every record of a session that reads as one. */
export function readEvidence(paths: Paths): EvidenceRecord[] {
  return namesIn(paths.evidence)
    .filter(name => name.endsWith('.json'))
    .flatMap(name => {
      const parsed = EvidenceRecord.safeParse(readJson(`${paths.evidence}/${name}`))
      return parsed.success ? [parsed.data] : []
    })
}
