import path from 'node:path'
import { z } from 'zod'
import { namesIn, readUntrusted } from '../host/index.ts'
import { readLog, type Session, statusOf } from '../session/index.ts'
import { Tail } from './tail.ts'
import { transcriptOf } from './transcript.ts'

/**
 * How claude and the judge behaved in a session, as lines such as `hook Stop of a worker: cwd, hook_event_name, …`. Only
 * names and plain words are in them, nothing that differs from run to run. What agents can write is read as such: torn
 * lines and strange names are passed over, and there is an end to it.
 */
export function traitsOf(session: Session): string[] {
  const traits = new Traits()
  hooksOf(session, traits)
  for (const { name } of statusOf(readLog(session.paths.events).events).workers)
    streamOf(new Tail(session.paths.worker(name).stream, most), traits)
  const transcript = transcriptOf(session)
  if (transcript !== undefined) talkOf(new Tail(transcript, most), traits)
  judgeOf(session, traits)
  return traits.lines()
}

/** What stands only in `these`: whole lines, or of a line that both have the parts that `those` lacks. Pure. */
export function onlyIn(these: string[], those: string[]): string[] {
  const known = new Map(those.map(split))
  return these.flatMap(line => {
    const [about, parts] = split(line)
    const others = known.get(about)
    if (others === undefined) return [line]
    const ordered = about.startsWith('order ')
    const own = ordered ? (others.join() === parts.join() ? [] : parts) : parts.filter(part => !others.includes(part))
    return own.length === 0 ? [] : [`${about}: ${own.join(', ')}`]
  })
}

// --- what is read ---

/** Bytes of a file that are read, from its end. */
const most = 32 * 1024 * 1024

const Hook = z.object({ hook: z.string(), of: z.enum(['orchestrator', 'worker']), fields: z.array(z.unknown()) })

function hooksOf({ paths }: Session, traits: Traits): void {
  for (const line of capped(new Tail(paths.hooks, 1024 * 1024))) {
    const { hook, of, fields } = Hook.safeParse(json(line)).data ?? { fields: [] }
    if (hook === undefined) continue
    const who = of === 'orchestrator' ? 'the orchestrator' : 'a worker'
    traits.add(`hook ${hook} of ${who}`, fields)
    traits.add(`order of the hooks of ${who}`, [hook])
  }
}

const Line = z.looseObject({
  type: z.string(),
  subtype: z.string().optional().catch(undefined),
  claude_code_version: z.unknown().optional(),
  stop_reason: z.unknown().optional(),
  terminal_reason: z.unknown().optional(),
  usage: z.unknown().optional(),
  message: z.unknown().optional(),
})

/** A worker's stream: every kind of line there is. */
function streamOf(stream: Tail, traits: Traits): void {
  for (const text of capped(stream)) {
    const value = json(text)
    const line = Line.safeParse(value).data
    if (line === undefined) continue
    const kind = line.subtype === undefined ? line.type : `${line.type}/${line.subtype}`
    traits.add(`stream ${kind}`, namesOf(value))
    traits.add('claude version', [line.claude_code_version])
    traits.add('stream stop reason', [line.stop_reason])
    traits.add('stream terminal reason', [line.terminal_reason])
    traits.add(`stream ${line.type} usage`, namesOf(line.usage))
    messageIn(line, { about: 'stream', tools: 'tools of workers' }, traits)
  }
}

/** The orchestrator's transcript: the lines that we read. The rest is claude's own bookkeeping. */
function talkOf(transcript: Tail, traits: Traits): void {
  for (const text of capped(transcript)) {
    const value = json(text)
    const line = Line.safeParse(value).data
    if (line?.type !== 'assistant' && line?.type !== 'user') continue
    traits.add(`transcript ${line.type}`, namesOf(value))
    messageIn(line, { about: 'transcript', tools: 'tools of the orchestrator' }, traits)
  }
}

const Message = z.looseObject({
  content: z.array(z.unknown()).catch([]),
  usage: z.unknown().optional(),
  stop_reason: z.unknown().optional(),
})
const Block = z.looseObject({ type: z.string(), name: z.unknown().optional() })

function messageIn(
  { type, message }: z.infer<typeof Line>,
  { about, tools }: { about: string; tools: string },
  traits: Traits,
): void {
  const said = Message.safeParse(message).data
  if (said === undefined) return
  traits.add(`${about} ${type} message`, namesOf(message))
  traits.add(`${about} ${type} usage`, namesOf(said.usage))
  traits.add(`${about} stop reason`, [said.stop_reason])
  for (const part of said.content) {
    const block = Block.safeParse(part).data
    if (block === undefined) continue
    traits.add(`${about} ${type} ${block.type}`, namesOf(part))
    if (block.type === 'tool_use') traits.add(tools, [block.name])
  }
}

const Judged = z.looseObject({ shape: z.array(z.string()) })

function judgeOf({ paths }: Session, traits: Traits): void {
  for (const name of namesIn(paths.evidence).filter(file => /^judge-\d+\.json$/.test(file))) {
    const text = readUntrusted(path.join(paths.evidence, name), 1024 * 1024)?.toString('utf8') ?? ''
    for (const line of Judged.safeParse(json(text)).data?.shape ?? []) {
      const [about, parts] = split(line)
      if (about.startsWith('judge ')) traits.add(about, parts)
    }
  }
}

// --- what is kept ---

class Traits {
  private readonly found = new Map<string, Set<string>>()

  /** Only plain words are taken, and only so many. */
  add(about: string, parts: unknown[]): void {
    if (!/^[\w ./:-]{1,80}$/.test(about)) return
    for (const part of parts) {
      if (typeof part !== 'string' || !/^[\w./:@-]{1,60}$/.test(part)) continue
      if (!this.found.has(about) && this.found.size >= 200) return
      const known = this.found.get(about) ?? new Set()
      if (known.size < 100) this.found.set(about, known.add(part))
    }
  }

  lines(): string[] {
    const inOrder = (about: string, parts: string[]) => (about.startsWith('order ') ? parts : parts.sort())
    return [...this.found].map(([about, parts]) => `${about}: ${inOrder(about, [...parts]).join(', ')}`).sort()
  }
}

function split(line: string): [about: string, parts: string[]] {
  const at = line.indexOf(': ')
  return at < 0 ? [line, []] : [line.slice(0, at), line.slice(at + 2).split(', ')]
}

function* capped(tail: Tail): Generator<string> {
  let left = 50_000
  for (const line of tail.fresh()) {
    if (left-- === 0) return
    yield line
  }
}

function namesOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : []
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Torn, or no line of ours.
  }
}
