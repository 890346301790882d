import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { listNames, makePrivateFolder, readIfPresent, readJson, writeAtomic } from '#host/fs'
import type { Session, SessionPaths } from '#session'
import type { CommandReply } from '../context.ts'

const ProcessIdentity = z.object({ pid: z.number(), startTime: z.string(), bootId: z.string(), name: z.string() })

/** What a human says by a command: words for the orchestrator, or a yes or a no to a contract, bound to its hash. */
const MessageContent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('say'), text: z.string() }),
  z.object({ kind: z.literal('approve'), sha256: z.string() }),
  z.object({ kind: z.literal('decline'), sha256: z.string(), reason: z.string() }),
])

export type MessageContent = z.infer<typeof MessageContent>

/** A word on its way: whose process has left it, and how long it may wait for the input line. */
const HumanMessage = MessageContent.and(z.object({ sender: ProcessIdentity, deadline: z.string() }))

export type HumanMessage = z.infer<typeof HumanMessage>

export type StoredMessage = HumanMessage & { id: string }

/** The words that nobody has answered, in the order in which they were left. */
export function listPendingMessages({ messages }: SessionPaths): StoredMessage[] {
  const names = new Set(listNames(messages))
  return [...names].flatMap(name => {
    const [, id] = /^(\d{13}-\d{3}-[0-9a-f]{8})\.json$/.exec(name) ?? []
    if (id === undefined || names.has(`${id}.reply`)) return []
    const word = HumanMessage.safeParse(readJson(path.join(messages, name))).data
    return word === undefined ? [] : [{ ...word, id }]
  })
}

/** Leave a word for the runner, whole or not at all. Answers its id. */
export function storeMessage({ paths }: Session, message: HumanMessage): string {
  makePrivateFolder(paths.messages) // A session of an older dispatch has none.
  const id = `${Date.now()}-${String(storedCount++ % 1000).padStart(3, '0')}-${randomBytes(4).toString('hex')}`
  writeAtomic(getMessageFile(paths, id), JSON.stringify(message))
  return id
}

let storedCount = 0

/** Answer a word once; the word itself stays as the record of what was said. */
export function writeMessageReply(paths: SessionPaths, id: string, { exit, text }: CommandReply): void {
  writeAtomic(path.join(paths.messages, `${id}.reply`), `${exit}\n${text.trimEnd()}\n`)
}

export function readMessageReply({ paths }: Session, id: string): CommandReply | undefined {
  const reply = readIfPresent(path.join(paths.messages, `${id}.reply`))
  if (reply === undefined) return undefined
  const end = reply.indexOf('\n')
  return { exit: Number(reply.slice(0, end)), text: reply.slice(end + 1).trimEnd() }
}

/** Take a word back that no runner has touched; false when one has begun to type it. */
export function withdrawMessage({ paths }: Session, id: string): boolean {
  if (readPasteOffset(paths, id) !== undefined) return false
  fs.rmSync(getMessageFile(paths, id), { force: true })
  return readPasteOffset(paths, id) === undefined
}

export function getMessageFile({ messages }: Pick<SessionPaths, 'messages'>, id: string): string {
  return path.join(messages, `${id}.json`)
}

/** Where the transcript ended when this word was put into the input line; undefined when it never was. */
export function readPasteOffset({ messages }: Pick<SessionPaths, 'messages'>, id: string): number | undefined {
  const mark = readIfPresent(path.join(messages, `${id}.pasted`))
  return mark === undefined ? undefined : Number(mark)
}

/** Say on disk that a word is about to be typed: whoever comes after us may look for it, and never types it again. */
export function recordPaste({ messages }: Pick<SessionPaths, 'messages'>, id: string, from: number): void {
  writeAtomic(path.join(messages, `${id}.pasted`), String(from))
}

/** The next word of that name is another one. */
export function clearPasteMark({ messages }: Pick<SessionPaths, 'messages'>, id: string): void {
  fs.rmSync(path.join(messages, `${id}.pasted`), { force: true })
}

/** The text a human was asked to approve, byte for byte; undefined when it is not there, or is no longer that text. */
export function readContractForApproval(
  { messages }: Pick<SessionPaths, 'messages'>,
  sha256: string,
): string | undefined {
  const text = readIfPresent(getApprovalFile({ messages }, sha256))
  return text !== undefined && computeSha256(text) === sha256 ? text : undefined
}

export function computeSha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}

export function getApprovalFile({ messages }: Pick<SessionPaths, 'messages'>, sha256: string): string {
  return path.join(messages, `contract-${sha256}.md`)
}
