import type { ModelAction, Scenario, ScriptedAnswer, ScriptedTurn, TurnContext } from './scenario.ts'

/** A request to the Messages API: the fields that are read here. */
export interface MessagesRequest {
  model: string
  system?: string | { text?: string }[]
  messages: { role: string; content: string | { type: string; text?: string; content?: unknown }[] }[]
}

/** The agent that sent a request: `orchestrator`, or a worker's name. Undefined for requests that claude makes for itself. */
export function detectRole(request: MessagesRequest): string | undefined {
  const system = getSystemText(request)
  const worker = /You are (?:code|writing) worker (\S+) of session/.exec(system)?.[1]
  if (system.includes('You are asked once how to split an issue')) return 'splitter'
  return worker ?? (system.includes('You are the orchestrator of session') ? 'orchestrator' : undefined)
}

/** The next turn of the agent that sent the request. At the end of its script it says so and stops. */
export function pickNextAction(scenario: Scenario, request: MessagesRequest): ModelAction {
  const role = detectRole(request)
  if (role === undefined) return { say: 'ok' }
  const script: ScriptedTurn[] =
    role === 'orchestrator'
      ? scenario.orchestrator
      : role === 'splitter'
        ? (scenario.splitter ?? [])
        : (scenario.workers[role] ?? scenario.workers['*'] ?? [])
  const userTexts = getUserTexts(request)
  const context: TurnContext = {
    lastText: userTexts.at(-1) ?? '',
    folder: /working directory: (\S.*)/.exec([getSystemText(request), ...userTexts].join('\n'))?.[1] ?? '',
    task: /^<task>\n([\s\S]*)\n<\/task>/m.exec(getSystemText(request))?.[1] ?? '',
    earlier: /^<earlier>\n([\s\S]*?)\n<\/earlier>$/m.exec(getSystemText(request))?.[1] ?? '',
    turnIndex: request.messages.filter(message => message.role === 'assistant').length,
  }
  const turn = script[context.turnIndex]
  if (turn === undefined) return { say: 'That is all.' }
  return typeof turn === 'function' ? turn(context) : turn
}

/**
 * The reply of a judge that answers by the packet: yes where the gate passes, no where it fails, and no for the canary, whose
 * file is not in the listing. `answers` replaces this for single clauses.
 */
export function answerAsJudge(packet: string, answers: Record<string, ScriptedAnswer> = {}): string {
  const sections = packet
    .split(/^### (?=C\d+ — )/m)
    .slice(1)
    .map(section => section.split(/^##/m)[0] ?? '')
  const clauses = sections.map(section => {
    const [, id = '', sentence = ''] = /^(C\d+) — (.*)/.exec(section) ?? []
    const evidence = /^- evidence: (.*)$/m.exec(section)?.[1]?.split(', ') ?? ['listing']
    const gate = /^- gate: (green|red|kept|broken|nothing ran|could not run|flaky)/m.exec(section)?.[1]
    return { id, evidence, ...answerByGate(gate, canaryPattern.test(sentence)), ...answers[id] }
  })
  const findings = clauses
    .filter(({ met, reason }) => met === 'no' && reason !== canaryReason)
    .map(({ id, reason }) => `${id}: ${reason}`)
  return JSON.stringify({ clauses, findings })
}

const canaryReason = 'the listing has no such file'
/** The canary names a file with such a name, which does not exist (`validator/packet/canary.ts`). */
export const canaryPattern = /\b(outputs|docs|src|data|assets)\/([0-9a-f]{2}){4,8}\b/

function answerByGate(gate: string | undefined, isCanary: boolean): ScriptedAnswer {
  if (isCanary) return { met: 'no', reason: canaryReason }
  if (gate === 'red' || gate === 'broken') return { met: 'no', reason: 'the evidence shows otherwise' }
  if (gate === 'nothing ran' || gate === 'could not run' || gate === 'flaky')
    return { met: 'unproven', reason: 'the evidence shows neither' }
  return { met: 'yes', reason: 'the evidence shows it' }
}

function getSystemText({ system, messages }: MessagesRequest): string {
  const prompt = typeof system === 'string' ? system : (system ?? []).map(block => block.text ?? '').join('\n')
  const later = messages.filter(message => message.role === 'system').map(message => extractText(message.content))
  return [prompt, ...later].join('\n')
}

/** Everything that the model was sent, oldest first: prompts and the results of tools. */
function getUserTexts({ messages }: MessagesRequest): string[] {
  return messages.filter(message => message.role === 'user').map(message => extractText(message.content))
}

/** The text of a message, or of a tool's result in it. */
function extractText(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map(extractBlockText).join('\n')
}

function extractBlockText(block: unknown): string {
  if (typeof block !== 'object' || block === null) return ''
  if ('text' in block) return String(block.text)
  return 'content' in block ? extractText(block.content) : ''
}
