import fs from 'node:fs'
import path from 'node:path'
import { namesIn, readUntrusted, writeAtomic } from '../host/index.ts'
import type { Paths } from '../session/index.ts'
import type { Reply } from './running.ts'

export const tools = ['contract', 'spawn-worker', 'wait-workers', 'submit', 'ask'] as const

export type Tool = (typeof tools)[number]

/** What an agent left on its desk and waits for. */
export interface Request {
  id: string
  tool: Tool
  words: string[]
  input: Buffer
}

const cap = 1024 * 1024

/** The requests nobody has answered, oldest first. The desk is the agent's: everything is read as untrusted. */
export function unanswered({ requests, replies }: Paths): Request[] {
  const answered = new Set(namesIn(replies))
  return namesIn(requests)
    .filter(id => /^\d+-\d+-[a-z-]+$/.test(id) && !answered.has(id))
    .map(id => ({ id, left: leftAt(path.join(requests, id)) }))
    .sort((a, b) => a.left - b.left)
    .flatMap(({ id }) => readRequest(path.join(requests, id), id) ?? [])
}

/** Answer once; a request with an answer is never looked at again. */
export function answer({ replies, requests }: Paths, id: string, { exit, text }: Reply): void {
  writeAtomic(path.join(replies, id), `${exit}\n${text.trimEnd()}\n`)
  fs.rmSync(path.join(requests, id), { recursive: true, force: true })
}

function readRequest(folder: string, id: string): Request | undefined {
  const named = readUntrusted(path.join(folder, 'tool'), 100)?.toString('utf8')
  const tool = tools.find(known => known === named)
  if (tool === undefined) return undefined
  const words = readUntrusted(path.join(folder, 'arguments'), cap)?.toString('utf8').split('\0').slice(0, -1) ?? []
  return { id, tool, words, input: readUntrusted(path.join(folder, 'input'), cap) ?? Buffer.alloc(0) }
}

function leftAt(folder: string): number {
  return fs.lstatSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
