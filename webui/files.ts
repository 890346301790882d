import { z } from 'zod'
import { listNames, readUntrusted } from '#host/fs'
import type { SessionPaths } from '#session/readonly.ts'

const MAX_RAW_BYTES = 1024 * 1024

/** The only files of a session that are served as they are, in the order a person reads them. */
const readablePaths: [string, (paths: SessionPaths) => string][] = [
  ['task.md', paths => paths.task],
  ['plan.md', paths => paths.plan],
  ['contract.md', paths => paths.contract],
  ['verdict.md', paths => paths.verdictText],
  ['verdict.json', paths => paths.verdictRecord],
  ['events.jsonl', paths => paths.events],
]

/** Which of the files that may be read raw are there now. */
export function listReadableFiles(paths: SessionPaths): string[] {
  const present = listNames(paths.folder)
  return readablePaths.map(([name]) => name).filter(name => present.includes(name))
}

/** The text of one of those files, cut (and saying so) at 1 MiB; undefined for any other name, a link or a pipe. */
export function readRawFile(paths: SessionPaths, name: string): string | undefined {
  const place = readablePaths.find(([allowed]) => allowed === name)
  const bytes = place && readUntrusted(place[1](paths), MAX_RAW_BYTES + 1)
  if (bytes === undefined) return undefined
  const text = bytes.subarray(0, MAX_RAW_BYTES).toString('utf8')
  return bytes.length > MAX_RAW_BYTES ? `${text}\n[cut here: the file goes on beyond 1 MiB]\n` : text
}

/** What the page takes from `verdict.json`: who judged, and the word on each clause. */
const VerdictSummary = z.object({
  round: z.number(),
  tree: z.string(),
  judge: z.string(),
  packetSha256: z.string().nullable().optional(),
  sandbox: z.string(),
  findings: z.array(z.string()),
  clauses: z.array(
    z.object({
      id: z.string(),
      reason: z.string(),
      judgement: z.object({ met: z.string(), reason: z.string() }).nullable(),
    }),
  ),
})

export type VerdictSummary = z.infer<typeof VerdictSummary>

/** The written verdict, or undefined while there is none that reads. */
export function readVerdictSummary(paths: SessionPaths): VerdictSummary | undefined {
  const text = readRawFile(paths, 'verdict.json')
  if (text === undefined) return undefined
  try {
    return VerdictSummary.safeParse(JSON.parse(text)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
