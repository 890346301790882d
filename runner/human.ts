import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { makePrivate, namesIn, readIfPresent, readJson, writeAtomic } from '../host/index.ts'
import type { Paths, Session } from '../session/index.ts'
import type { Reply } from './running.ts'

const Person = z.object({ pid: z.number(), start: z.string(), boot: z.string(), name: z.string() })

/** What a human says by a command: words for the orchestrator, or a yes or a no to a contract, bound to its hash. */
const Said = z.discriminatedUnion('is', [
  z.object({ is: z.literal('say'), text: z.string() }),
  z.object({ is: z.literal('approve'), sha256: z.string() }),
  z.object({ is: z.literal('decline'), sha256: z.string(), why: z.string() }),
])

export type Said = z.infer<typeof Said>

/** A word on its way: whose process has left it, and how long it may wait for the input line. */
const Word = Said.and(z.object({ by: Person, until: z.string() }))

export type Word = z.infer<typeof Word>

export type LeftWord = Word & { id: string }

/** The words that nobody has answered, in the order in which they were left. */
export function unanswered({ human }: Paths): LeftWord[] {
  const names = new Set(namesIn(human))
  return [...names].flatMap(name => {
    const [, id] = /^(\d{13}-\d{3}-[0-9a-f]{8})\.json$/.exec(name) ?? []
    if (id === undefined || names.has(`${id}.reply`)) return []
    const word = Word.safeParse(readJson(path.join(human, name))).data
    return word === undefined ? [] : [{ ...word, id }]
  })
}

/** Leave a word for the runner, whole or not at all. Answers its id. */
export function leaveWord({ paths }: Session, word: Word): string {
  makePrivate(paths.human) // A session of an older dispatch has none.
  const id = `${Date.now()}-${String(count++ % 1000).padStart(3, '0')}-${randomBytes(4).toString('hex')}`
  writeAtomic(wordFile(paths, id), JSON.stringify(word))
  return id
}

let count = 0

/** Answer a word once; the word itself stays as the record of what was said. */
export function answerWord(paths: Paths, id: string, { exit, text }: Reply): void {
  writeAtomic(path.join(paths.human, `${id}.reply`), `${exit}\n${text.trimEnd()}\n`)
}

export function readAnswer({ paths }: Session, id: string): Reply | undefined {
  const reply = readIfPresent(path.join(paths.human, `${id}.reply`))
  if (reply === undefined) return undefined
  const end = reply.indexOf('\n')
  return { exit: Number(reply.slice(0, end)), text: reply.slice(end + 1).trimEnd() }
}

/** Take a word back that no runner has touched; false when one has begun to type it. */
export function withdraw({ paths }: Session, id: string): boolean {
  if (pastedAt(paths, id) !== undefined) return false
  fs.rmSync(wordFile(paths, id), { force: true })
  return pastedAt(paths, id) === undefined
}

export function wordFile({ human }: Pick<Paths, 'human'>, id: string): string {
  return path.join(human, `${id}.json`)
}

/** Where the transcript ended when this word was put into the input line; undefined when it never was. */
export function pastedAt({ human }: Pick<Paths, 'human'>, id: string): number | undefined {
  const mark = readIfPresent(path.join(human, `${id}.pasted`))
  return mark === undefined ? undefined : Number(mark)
}

/** Say on disk that a word is about to be typed: whoever comes after us may look for it, and never types it again. */
export function markPasted({ human }: Pick<Paths, 'human'>, id: string, from: number): void {
  writeAtomic(path.join(human, `${id}.pasted`), String(from))
}

/** The next word of that name is another one. */
export function unmark({ human }: Pick<Paths, 'human'>, id: string): void {
  fs.rmSync(path.join(human, `${id}.pasted`), { force: true })
}

/** The text a human was asked to approve, byte for byte; undefined when it is not there, or is no longer that text. */
export function askedContract({ human }: Pick<Paths, 'human'>, sha256: string): string | undefined {
  const text = readIfPresent(askedFile({ human }, sha256))
  return text !== undefined && hashOf(text) === sha256 ? text : undefined
}

export function hashOf(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}

export function askedFile({ human }: Pick<Paths, 'human'>, sha256: string): string {
  return path.join(human, `contract-${sha256}.md`)
}
