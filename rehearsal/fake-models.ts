import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { http } from '#host/http.ts'
import type { ModelAction, Scenario } from './scenario.ts'
import { answerAsJudge, detectRole, type MessagesRequest, pickNextAction } from './scripted-turns.ts'

/** One request that the server received, for tests. */
interface RecordedRequest {
  /** In milliseconds, as `Date.now()`. */
  at: number
  path: string
  /** `orchestrator`, a worker's name, `judge`, or `greeting` for the word asked of it at the start; undefined for anything else. */
  role: string | undefined
  body: string
}

export interface FakeModels {
  url: string
  requests: RecordedRequest[]
  close(): Promise<void>
}

/** Start a loopback server that speaks the Messages API, the Gemini API and ntfy, and plays the models of one scenario. */
export async function startFakeModels(scenario: Scenario): Promise<FakeModels> {
  const requests: RecordedRequest[] = []
  const server = http.createServer((request, response) => {
    answerRequest(scenario, requests, request, response).catch(error => {
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = address && typeof address === 'object' ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

async function answerRequest(
  scenario: Scenario,
  requests: RecordedRequest[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await text(request)
  const path = request.url ?? ''
  const record = (role: string | undefined) => requests.push({ at: Date.now(), path, role, body })
  if (request.method === 'POST' && /^\/v1\/messages(\?|$)/.test(path)) {
    const message = JSON.parse(body) as MessagesRequest
    record(detectRole(message))
    return sendAction(response, message.model, pickNextAction(scenario, message))
  }
  if (request.method === 'POST' && path.includes(':generateContent')) {
    const { contents } = JSON.parse(body) as { contents: { parts: { text?: string }[] }[] }
    const packet = contents.flatMap(({ parts }) => parts.map(part => part.text ?? '')).join('\n')
    const isGreeting = !packet.startsWith('# Packet')
    const role = isGreeting ? 'greeting' : 'judge'
    record(role)
    const count = requests.filter(request => request.role === role).length
    const model = /models\/([^/:]+):/.exec(path)?.[1] ?? ''
    const answer = scenario.vendor?.({ model, isGreeting, count })
    if (answer && 'status' in answer) return sendJson(response, answer.status, answer.body, answer.headers)
    const round = Number(/^# Packet, round (\d+)/.exec(packet)?.[1] ?? 0)
    return sendJudgeReply(response, answerAsJudge(packet, scenario.judge?.[round - 1]), answer?.modelVersion ?? model)
  }
  record(undefined)
  if (request.method === 'POST') return sendJson(response, 200, { id: randomUUID(), event: 'message' })
  response.writeHead(request.method === 'HEAD' ? 200 : 404).end()
}

function sendJson(response: ServerResponse, status: number, body: object, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** Send one answer of the Messages API, as server-sent events, or an error of the vendor. */
function sendAction(response: ServerResponse, model: string, action: ModelAction): void {
  if ('hang' in action) return // The model never answers; the connection stays open.
  if ('refuse' in action) {
    const error = { type: action.kind, message: action.reason }
    return sendJson(response, action.refuse, { type: 'error', error }, action.headers)
  }
  const [block, delta, stopReason] =
    'say' in action
      ? [{ type: 'text', text: '' }, { type: 'text_delta', text: action.say }, 'end_turn']
      : [
          { type: 'tool_use', id: `toolu_${randomUUID()}`, name: action.use, input: {} },
          { type: 'input_json_delta', partial_json: JSON.stringify(action.input) },
          'tool_use',
        ]
  const message = {
    id: `msg_${randomUUID()}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
  }
  const events = [
    { type: 'message_start', message: { ...message, usage: { input_tokens: 100, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { output_tokens: 20 },
    },
    { type: 'message_stop' },
  ]
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(events.map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''))
}

/** Send the reply of the judge, as the Gemini API does. */
function sendJudgeReply(response: ServerResponse, reply: string, modelVersion: string): void {
  sendJson(response, 200, {
    candidates: [{ content: { role: 'model', parts: [{ text: reply }] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 1000, candidatesTokenCount: 100 },
    modelVersion,
  })
}
