import type { Act, Heard, JudgeWord, Scenario, Turn } from './scenario.ts'

/** A request to the Messages API, as far as it is read here. */
export interface MessagesRequest {
  model: string
  system?: string | { text?: string }[]
  messages: { role: string; content: string | { type: string; text?: string; content?: unknown }[] }[]
}

/** Who is speaking: the role our standing orders give it; undefined for claude's own side errands. */
export function roleOf(request: MessagesRequest): string | undefined {
  const system = systemOf(request)
  const worker = /You are (?:code|writing) worker (\S+) of session/.exec(system)?.[1]
  return worker ?? (system.includes('You are the orchestrator of session') ? 'orchestrator' : undefined)
}

/** The next turn of whoever is speaking. A script that is at its end says so, and stops. */
export function nextAct(scenario: Scenario, request: MessagesRequest): Act {
  const role = roleOf(request)
  if (role === undefined) return { say: 'ok' }
  const script: Turn[] =
    role === 'orchestrator' ? scenario.orchestrator : (scenario.workers[role] ?? scenario.workers['*'] ?? [])
  const heard: Heard = {
    last: lastWords(request),
    folder: /working directory: (\S.*)/.exec(systemOf(request) + lastWords(request, true))?.[1] ?? '',
    turn: request.messages.filter(message => message.role === 'assistant').length,
  }
  const turn = script[heard.turn]
  if (turn === undefined) return { say: 'That is all.' }
  return typeof turn === 'function' ? turn(heard) : turn
}

/**
 * A judge that goes by the packet: what our gates show is met, what they refute is not, and a file that the listing does
 * not hold does not exist. `words` speaks over it, clause by clause.
 */
export function judgePacket(packet: string, words: Record<string, JudgeWord> = {}): string {
  const parts = packet
    .split(/^### (?=C\d+ — )/m)
    .slice(1)
    .map(part => part.split(/^##/m)[0] ?? '')
  const clauses = parts.map(part => {
    const [, id = '', sentence = ''] = /^(C\d+) — (.*)/.exec(part) ?? []
    const evidence = /^- evidence: (.*)$/m.exec(part)?.[1]?.split(', ') ?? ['listing']
    const gate = /^- our gate: (green|red|kept|broken|could not run|flaky)/m.exec(part)?.[1]
    const missing = /outputs\/([0-9a-f]{16}\.txt)/.exec(sentence) !== null
    const met =
      missing || gate === 'red' || gate === 'broken'
        ? 'no'
        : gate === 'could not run' || gate === 'flaky'
          ? 'unproven'
          : 'yes'
    return {
      id,
      met,
      evidence,
      why: missing ? 'the listing holds no such file' : `the evidence shows ${met === 'yes' ? 'it' : 'otherwise'}`,
      ...words[id],
    }
  })
  const findings = clauses
    .filter(({ met, why }) => met === 'no' && !why.startsWith('the listing'))
    .map(({ id, why }) => `${id}: ${why}`)
  return JSON.stringify({ clauses, findings })
}

function systemOf({ system, messages }: MessagesRequest): string {
  const own = typeof system === 'string' ? system : (system ?? []).map(block => block.text ?? '').join('\n')
  return [own, ...messages.filter(message => message.role === 'system').map(message => textOf(message.content))].join(
    '\n',
  )
}

/** The newest words that are not the model's own. */
function lastWords({ messages }: MessagesRequest, all = false): string {
  const theirs = messages.filter(message => message.role === 'user').map(message => textOf(message.content))
  return all ? theirs.join('\n') : (theirs.at(-1) ?? '')
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map(block =>
      block && typeof block === 'object'
        ? 'text' in block
          ? String(block.text)
          : 'content' in block
            ? textOf(block.content)
            : ''
        : '',
    )
    .join('\n')
}
