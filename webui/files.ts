import { z } from 'zod'
import { namesIn, readUntrusted } from '../host/index.ts'
import type { Paths } from '../session/read.ts'

const mebibyte = 1024 * 1024

/** The only files of a session that are served as they are, in the order a person reads them. */
const places: [string, (paths: Paths) => string][] = [
  ['task.md', paths => paths.task],
  ['plan.md', paths => paths.plan],
  ['contract.md', paths => paths.contract],
  ['verdict.md', paths => paths.verdict],
  ['verdict.json', paths => paths.verdictRecord],
  ['events.jsonl', paths => paths.events],
]

/** Which of the files that may be read raw are there now. */
export function readableFiles(paths: Paths): string[] {
  const present = namesIn(paths.folder)
  return places.map(([name]) => name).filter(name => present.includes(name))
}

/** The text of one of those files, cut (and saying so) at 1 MiB; undefined for any other name, a link or a pipe. */
export function readRaw(paths: Paths, name: string): string | undefined {
  const place = places.find(([allowed]) => allowed === name)
  const bytes = place && readUntrusted(place[1](paths), mebibyte + 1)
  if (bytes === undefined) return undefined
  const text = bytes.subarray(0, mebibyte).toString('utf8')
  return bytes.length > mebibyte ? `${text}\n[cut here: the file goes on beyond 1 MiB]\n` : text
}

/** What the page takes from `verdict.json`: who judged, and the word on each clause. */
const Judgement = z.object({
  round: z.number(),
  tree: z.string(),
  judge: z.string(),
  packetSha256: z.string().nullable().optional(),
  sandbox: z.string(),
  findings: z.array(z.string()),
  clauses: z.array(
    z.object({
      id: z.string(),
      because: z.string(),
      judge: z.object({ met: z.string(), why: z.string() }).nullable(),
    }),
  ),
})

export type Judgement = z.infer<typeof Judgement>

/** The written verdict, or undefined while there is none that reads. */
export function readJudgement(paths: Paths): Judgement | undefined {
  const text = readRaw(paths, 'verdict.json')
  if (text === undefined) return undefined
  try {
    return Judgement.safeParse(JSON.parse(text)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
