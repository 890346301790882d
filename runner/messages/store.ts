import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { listNames, makePrivateFolder, readIfPresent, readJson, writeAtomic } from '#host/fs'
import { sha256 as computeSha256 } from '#host/hash.ts'
import { ProcessIdentity } from '#host/process'
import type { Session, SessionPaths } from '#session'
import { type CommandReply, formatReply } from '../context.ts'

const Sender = ProcessIdentity.extend({ name: z.string() })

/**
 * A message for the orchestrator, or the approval or refusal of the contract with this hash. `judge` asks the judge again and
 * reaches no agent. `verdict` comes from the runner, and `overlap` from what landed another session that changes the same files.
 */
const MessageContent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('say'), text: z.string() }),
  z.object({ kind: z.literal('approve'), sha256: z.string() }),
  z.object({ kind: z.literal('decline'), sha256: z.string(), reason: z.string() }),
  z.object({ kind: z.literal('judge') }),
  z.object({ kind: z.literal('verdict'), text: z.string() }),
  z.object({ kind: z.literal('overlap'), session: z.string(), branch: z.string(), files: z.array(z.string()) }),
])

export type MessageContent = z.infer<typeof MessageContent>

/** A message with the process that sends it and the time, in ISO 8601, until which it may wait for the input line. */
const HumanMessage = MessageContent.and(z.object({ sender: Sender, deadline: z.string() }))

export type HumanMessage = z.infer<typeof HumanMessage>

export type StoredMessage = HumanMessage & { id: string }

type MessagesFolder = Pick<SessionPaths, 'messages'>

/** The messages without a reply, oldest first. */
export function listPendingMessages({ messages }: MessagesFolder): StoredMessage[] {
  const names = new Set(listNames(messages))
  return [...names].flatMap(name => {
    const [, id] = /^(\d{13}-\d{3}-[0-9a-f]{8})\.json$/.exec(name) ?? []
    if (id === undefined || names.has(`${id}.reply`)) return []
    const message = HumanMessage.safeParse(readJson(path.join(messages, name))).data
    return message === undefined ? [] : [{ ...message, id }]
  })
}

/** Leave a message for the runner. Returns its id. */
export function storeMessage({ paths }: Session, message: HumanMessage): string {
  makePrivateFolder(paths.messages) // Sessions of an older dispatch do not have this folder.
  const id = `${Date.now()}-${String(storedCount++ % 1000).padStart(3, '0')}-${randomBytes(4).toString('hex')}`
  writeAtomic(getMessageFile(paths, id), JSON.stringify(message))
  return id
}

let storedCount = 0

/** Write the reply to a message. The message stays as a record. */
export function writeMessageReply({ messages }: MessagesFolder, id: string, reply: CommandReply): void {
  writeAtomic(path.join(messages, `${id}.reply`), formatReply(reply))
}

export function readMessageReply({ paths }: Session, id: string): CommandReply | undefined {
  const reply = readIfPresent(path.join(paths.messages, `${id}.reply`))
  if (reply === undefined) return undefined
  const end = reply.indexOf('\n')
  return { exitCode: Number(reply.slice(0, end)), text: reply.slice(end + 1).trimEnd() }
}

/** Remove a message that no runner has begun to type. Returns false if one has. */
export function withdrawMessage({ paths }: Session, id: string): boolean {
  if (readPasteOffset(paths, id) !== undefined) return false
  fs.rmSync(getMessageFile(paths, id), { force: true })
  return readPasteOffset(paths, id) === undefined
}

export function getMessageFile({ messages }: MessagesFolder, id: string): string {
  return path.join(messages, `${id}.json`)
}

/** The size of the transcript when the message was pasted into the input line; undefined if it was not. */
export function readPasteOffset({ messages }: MessagesFolder, id: string): number | undefined {
  const mark = readIfPresent(path.join(messages, `${id}.pasted`))
  return mark === undefined ? undefined : Number(mark)
}

/** Record that a message is about to be pasted. The next runner may look for it but does not paste it again. */
export function recordPaste({ messages }: MessagesFolder, id: string, transcriptOffset: number): void {
  writeAtomic(path.join(messages, `${id}.pasted`), String(transcriptOffset))
}

/** Forget a paste, so that the id can be used for another message. */
export function clearPasteMark({ messages }: MessagesFolder, id: string): void {
  fs.rmSync(path.join(messages, `${id}.pasted`), { force: true })
}

/** The contract that a human was asked to approve, byte for byte; undefined if it is missing or was changed. */
export function readContractForApproval(folder: MessagesFolder, sha256: string): string | undefined {
  const text = readIfPresent(getApprovalFile(folder, sha256))
  return text !== undefined && computeSha256(text) === sha256 ? text : undefined
}

export function getApprovalFile({ messages }: MessagesFolder, sha256: string): string {
  return path.join(messages, `contract-${sha256}.md`)
}
