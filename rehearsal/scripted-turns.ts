import type { ModelAction, Scenario, ScriptedAnswer, ScriptedTurn, TurnContext } from './scenario.ts'
/** A request to the Messages API, as far as it is read here. */
export interface MessagesRequest {
  model: string
  system?: string | { text?: string }[]
  messages: { role: string; content: string | { type: string; text?: string; content?: unknown }[] }[]
}

/** Who is speaking: the role our standing orders give it; undefined for claude's own side errands. */
export function detectRole(request: MessagesRequest): string | undefined {
  const system = getSystemText(request)
  const worker = /You are (?:code|writing) worker (\S+) of session/.exec(system)?.[1]
  return worker ?? (system.includes('You are the orchestrator of session') ? 'orchestrator' : undefined)
}

/** The next turn of whoever is speaking. A script that is at its end says so, and stops. */
export function pickNextAction(scenario: Scenario, request: MessagesRequest): ModelAction {
  const role = detectRole(request)
  if (role === undefined) return { say: 'ok' }
  const script: ScriptedTurn[] =
    role === 'orchestrator' ? scenario.orchestrator : (scenario.workers[role] ?? scenario.workers['*'] ?? [])
  const heard: TurnContext = {
    lastText: getLastText(request),
    folder: /working directory: (\S.*)/.exec(getSystemText(request) + getLastText(request, true))?.[1] ?? '',
    turnIndex: request.messages.filter(message => message.role === 'assistant').length,
  }
  const turn = script[heard.turnIndex]
  if (turn === undefined) return { say: 'That is all.' }
  return typeof turn === 'function' ? turn(heard) : turn
}

/**
 * A judge that goes by the packet: what our gates show is met, what they refute is not, and a file that the listing does
 * not hold does not exist. `words` speaks over it, clause by clause.
 */
export function answerAsJudge(packet: string, words: Record<string, ScriptedAnswer> = {}): string {
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
      reason: missing ? 'the listing holds no such file' : `the evidence shows ${met === 'yes' ? 'it' : 'otherwise'}`,
      ...words[id],
    }
  })
  const findings = clauses
    .filter(({ met, reason }) => met === 'no' && !reason.startsWith('the listing'))
    .map(({ id, reason }) => `${id}: ${reason}`)
  return JSON.stringify({ clauses, findings })
}

function getSystemText({ system, messages }: MessagesRequest): string {
  const own = typeof system === 'string' ? system : (system ?? []).map(block => block.text ?? '').join('\n')
  return [
    own,
    ...messages.filter(message => message.role === 'system').map(message => extractText(message.content)),
  ].join('\n')
}

/** The newest words that are not the model's own. */
function getLastText({ messages }: MessagesRequest, all = false): string {
  const theirs = messages.filter(message => message.role === 'user').map(message => extractText(message.content))
  return all ? theirs.join('\n') : (theirs.at(-1) ?? '')
}

function extractText(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map(block =>
      block && typeof block === 'object'
        ? 'text' in block
          ? String(block.text)
          : 'content' in block
            ? extractText(block.content)
            : ''
        : '',
    )
    .join('\n')
}
