import fs from 'node:fs'
import path from 'node:path'
import { listNames, readUntrusted, writeAtomic } from '#host/fs'
import type { SessionPaths } from '#session'
import type { CommandReply } from './context.ts'

export const agentTools = ['contract', 'spawn-worker', 'wait-workers', 'submit', 'ask'] as const

export type AgentTool = (typeof agentTools)[number]

/** A request that an agent left in its folder. The agent waits for the reply. */
export interface AgentRequest {
  id: string
  tool: AgentTool
  args: string[]
  input: Buffer
}

const MAX_REQUEST_BYTES = 1024 * 1024
const MAX_TOOL_NAME_BYTES = 100

/** The requests without a reply, oldest first. An agent can write anything in its folder, so all of it is untrusted. */
export function listPendingRequests({ requests, replies }: SessionPaths): AgentRequest[] {
  const answered = new Set(listNames(replies))
  return listNames(requests)
    .filter(id => /^\d+-\d+-[a-z-]+$/.test(id) && !answered.has(id))
    .map(id => ({ id, timeMs: readRequestTimeMs(path.join(requests, id)) }))
    .sort((a, b) => a.timeMs - b.timeMs)
    .flatMap(({ id }) => readRequest(path.join(requests, id), id) ?? [])
}

/** Write the reply and remove the request. A request with a reply is never read again. */
export function writeRequestReply(
  { replies, requests }: SessionPaths,
  id: string,
  { exitCode, text }: CommandReply,
): void {
  writeAtomic(path.join(replies, id), `${exitCode}\n${text.trimEnd()}\n`)
  fs.rmSync(path.join(requests, id), { recursive: true, force: true })
}

function readRequest(folder: string, id: string): AgentRequest | undefined {
  const name = readUntrusted(path.join(folder, 'tool'), MAX_TOOL_NAME_BYTES)?.toString('utf8')
  const tool = agentTools.find(known => known === name)
  if (tool === undefined) return undefined
  const args =
    readUntrusted(path.join(folder, 'arguments'), MAX_REQUEST_BYTES)?.toString('utf8').split('\0').slice(0, -1) ?? []
  return { id, tool, args, input: readUntrusted(path.join(folder, 'input'), MAX_REQUEST_BYTES) ?? Buffer.alloc(0) }
}

function readRequestTimeMs(folder: string): number {
  return fs.lstatSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
