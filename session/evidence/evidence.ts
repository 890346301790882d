import { z } from 'zod'
import { listNames, readUntrusted } from '#host/fs'
import { parseJson } from '#host/json.ts'
import { Service } from '#host/project'
import { outcomeSchema } from '../log/event.ts'
import type { SessionPaths } from '../paths.ts'
import { TestCounts } from './test-counts.ts'

/** What the runner saw when it ran one check on one tree. Only such a record is evidence. */
export const EvidenceRecord = z.object({
  format: z.literal(1),
  /**
   * `base-C1`, `base-v2-C1` (for a later version of the contract) or `round-2-C1`. The record is `evidence/<id>.json`,
   * the output `evidence/<id>.txt`.
   */
  id: z.string(),
  clauseId: z.string(),
  side: z.enum(['base', 'head']),
  round: z.number(),
  command: z.string(),
  /** What the contract expects, such as `exit 0, output contains "34"`. */
  expected: z.string(),
  exitCode: z.number().nullable(),
  outcome: outcomeSchema,
  /** Why it is not green; empty when it is. */
  reason: z.string(),
  /** How many tests ran; missing if it is not a test run. */
  tests: TestCounts.optional(),
  milliseconds: z.number(),
  /** The last 4 KiB of stdout and stderr together. */
  outputTail: z.string(),
  outputBytes: z.number(),
  outputSha256: z.string(),
  commit: z.string(),
  tree: z.string(),
  time: z.string(),
  /** The time limit of one run, in seconds. */
  timeoutSeconds: z.number().default(0),
  /** Every run on this tree, in order. Different outcomes make the check flaky. */
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
  /** The programs in the command, each with the version that it reports. */
  toolVersions: z.record(z.string(), z.string()).default({}),
  machine: z.string().default(''),
  /** The cache key of the project's dependencies; null if it has none. */
  dependenciesKey: z.string().nullable().default(null),
  /** The sandbox in which the command ran. */
  sandbox: z.string().default('none'),
  /** What ran beside it, as the project file says. */
  services: z.array(Service).default([]),
  /** The record that this one copies, because the same check was not run again on the same tree. */
  originalId: z.string().optional(),
})

export type EvidenceRecord = z.infer<typeof EvidenceRecord>

/** Serialize a record to the exact bytes of its file. */
export function serializeEvidence(record: EvidenceRecord): string {
  return JSON.stringify(record, null, 2)
}

/** Read every valid record of the base and of the rounds. What ran for a landing is about another base. */
export function readEvidence(paths: SessionPaths): EvidenceRecord[] {
  return listNames(paths.evidence)
    .filter(name => /^(base|round)-.*\.json$/.test(name))
    .flatMap(name => readRecord(`${paths.evidence}/${name}`, EvidenceRecord) ?? [])
}

/** Read a record that may have been replaced; undefined for a link, a pipe, or a file of another shape. */
export function readRecord<Schema extends z.ZodType>(file: string, schema: Schema): z.infer<Schema> | undefined {
  const text = readUntrusted(file, MAX_RECORD_BYTES)?.toString('utf8')
  return text === undefined ? undefined : schema.safeParse(parseJson(text)).data
}

/** No record is longer. */
const MAX_RECORD_BYTES = 4 << 20
