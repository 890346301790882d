import fs from 'node:fs'
import path from 'node:path'
import { listNames, readUntrusted, writeAtomic } from '#host/fs'
import type { SessionPaths } from '#session'
import { type CommandReply, formatReply } from './context.ts'

const agentTools = ['contract', 'spawn-worker', 'wait-workers', 'submit', 'ask'] as const

/** A request that an agent left in its folder. The agent waits for the reply. */
export interface AgentRequest {
  id: string
  tool: (typeof agentTools)[number]
  args: string[]
  input: Buffer
}

const MAX_REQUEST_BYTES = 1024 * 1024
const MAX_TOOL_NAME_BYTES = 100

/** The requests without a reply, oldest first. An agent can write anything in its folder, so all of it is untrusted. */
export function listPendingRequests({ requests, replies }: SessionPaths): AgentRequest[] {
  const answered = new Set(listNames(replies))
  return listOldestFirst(requests, /^\d+-\d+-[a-z-]+$/)
    .filter(folder => !answered.has(path.basename(folder)))
    .flatMap(folder => readRequest(folder) ?? [])
}

/** The paths in a folder whose names match, in the order in which they were last written. */
export function listOldestFirst(folder: string, pattern: RegExp): string[] {
  return listNames(folder)
    .filter(name => pattern.test(name))
    .map(name => path.join(folder, name))
    .map(file => ({ file, timeMs: fs.lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => a.timeMs - b.timeMs)
    .map(({ file }) => file)
}

/** Write the reply and remove the request. A request with a reply is never read again. */
export function writeRequestReply({ replies, requests }: SessionPaths, id: string, reply: CommandReply): void {
  writeAtomic(path.join(replies, id), formatReply(reply))
  fs.rmSync(path.join(requests, id), { recursive: true, force: true })
}

/** Forget the requests of an orchestrator that has ended: a reply would reach no process. */
export function discardRequests({ requests }: Pick<SessionPaths, 'requests'>): void {
  for (const name of listNames(requests)) fs.rmSync(path.join(requests, name), { recursive: true, force: true })
}

/** Does this command run one of the tools that dispatch gives an agent? */
export function isAgentTool(command: unknown): boolean {
  return /^\s*(contract check|spawn-worker|wait-workers|submit|ask)\b/.test(String(command ?? ''))
}

function readRequest(folder: string): AgentRequest | undefined {
  const read = (name: string, maxBytes: number) => readUntrusted(path.join(folder, name), maxBytes)
  const name = read('tool', MAX_TOOL_NAME_BYTES)?.toString('utf8')
  const tool = agentTools.find(known => known === name)
  if (tool === undefined) return undefined
  const args = read('arguments', MAX_REQUEST_BYTES)?.toString('utf8').split('\0').slice(0, -1) ?? []
  return { id: path.basename(folder), tool, args, input: read('input', MAX_REQUEST_BYTES) ?? Buffer.alloc(0) }
}
