import { findTranscript } from '#host/claude'
import { parseToolTraffic, type ToolTraffic } from '#host/claude/lines'
import { sha256 } from '#host/hash.ts'
import { Tail } from '#host/tail.ts'
import { toOneLine } from '#host/text.ts'
import { SECOND_MS } from '#host/time.ts'
import { findClaudeFolder } from '#session'
import type { RunnerContext } from './context.ts'

/** So often in a row, with the same result, a call is more than a second try. */
const TOLD_CALL_COUNT = 8
const INTERVAL_MS = 2 * SECOND_MS
const MAX_TARGET_CHARS = 200
/** Calls that run at the same time. */
const MAX_OPEN_CALL_COUNT = 100

/** One call with its result, by the hash of both, and how often it was made in a row. */
interface Repetition {
  key: string
  target: string
  times: number
}

/**
 * Sees that an agent makes the same call with the same result again and again, in what its claude writes, and records it once. It
 * ends nothing: a person decides. After a new start of the runner it counts from there.
 */
export class RepetitionWatch {
  private readAtMs: number | undefined
  private readonly agents = new Map<string, { tail: Tail; calls: RepeatedCalls; told: Repetition | undefined }>()

  check(context: RunnerContext): void {
    const nowMs = context.clock.read()
    if (this.readAtMs !== undefined && nowMs - this.readAtMs < INTERVAL_MS) return
    const isFirst = this.readAtMs === undefined
    this.readAtMs = nowMs
    for (const { agent, file, run } of listFiles(context)) {
      const key = `${agent} ${run}`
      const seen = this.agents.get(key) ?? {
        tail: new Tail(file, isFirst ? 0 : undefined),
        calls: new RepeatedCalls(),
        told: undefined,
      }
      this.agents.set(key, seen)
      for (const line of seen.tail.readNewLines()) for (const traffic of parseToolTraffic(line)) seen.calls.add(traffic)
      const { last } = seen.calls
      const { told } = seen
      if (told !== undefined && told.key !== last.key) {
        context.record({ type: 'command.repeated', agent, target: told.target, times: told.times, isOver: true })
        seen.told = undefined
      }
      if (last.times < TOLD_CALL_COUNT) continue
      if (seen.told === undefined)
        context.record({ type: 'command.repeated', agent, target: last.target, times: last.times })
      seen.told = last
    }
  }
}

/** Counts equal calls in a row. Waiting for workers is neither: it may stand between them. */
export class RepeatedCalls {
  last: Repetition = { key: '', target: '', times: 0 }
  private readonly open = new Map<string, Extract<ToolTraffic, { kind: 'call' }>>()

  add(traffic: ToolTraffic): void {
    if (traffic.kind === 'call') {
      this.open.set(traffic.id, traffic)
      for (const id of this.open.keys()) if (this.open.size > MAX_OPEN_CALL_COUNT) this.open.delete(id)
      return
    }
    const call = this.open.get(traffic.id)
    this.open.delete(traffic.id)
    if (call === undefined || waitPattern.test(String(call.input['command'] ?? ''))) return
    const key = sha256(JSON.stringify([call.tool, omitDescription(call.input), traffic.content]))
    this.last = { key, target: describeTarget(call), times: key === this.last.key ? this.last.times + 1 : 1 }
  }
}

// --- internal ---

const waitPattern = /^\s*wait-workers\b/

/** The transcript of the orchestrator, and the stream of each worker that runs. */
function listFiles({ session, status }: RunnerContext): { agent: string; file: string; run: string }[] {
  const transcript = findTranscript(findClaudeFolder(session), session.manifest.claude.sessionId)
  const workers = status.workers.flatMap(({ name, startedAt, endedAt }) =>
    startedAt === undefined || endedAt !== undefined
      ? []
      : [{ agent: name, file: session.paths.worker(name).stream, run: startedAt }],
  )
  return [...(transcript === undefined ? [] : [{ agent: 'orchestrator', file: transcript, run: '' }]), ...workers]
}

/** The words by which a model describes a command may differ each time. */
function omitDescription({ description: _, ...input }: Record<string, unknown>): Record<string, unknown> {
  return input
}

function describeTarget({ tool, input }: Extract<ToolTraffic, { kind: 'call' }>): string {
  const target = input['command'] ?? input['file_path'] ?? input['pattern']
  return toOneLine(target === undefined ? tool : String(target), MAX_TARGET_CHARS)
}
