import { randomUUID } from 'node:crypto'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import type { ModelAction, Scenario } from './scenario.ts'
import { answerAsJudge, detectRole, type MessagesRequest, pickNextAction } from './scripted-turns.ts'

/** One request that the server received, for tests. */
export interface RecordedRequest {
  /** In milliseconds, as `Date.now()`. */
  at: number
  path: string
  /** `orchestrator`, a worker's name or `judge`; undefined for anything else. */
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
  request: http.IncomingMessage,
  response: http.ServerResponse,
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
    const round = requests.filter(earlier => earlier.role === 'judge').length
    record('judge')
    return sendJudgeReply(response, answerAsJudge(extractPacket(body), scenario.judge?.[round]))
  }
  record(undefined)
  if (request.method === 'POST')
    return void response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ id: randomUUID(), event: 'message' }))
  response.writeHead(request.method === 'HEAD' ? 200 : 404).end()
}

/** Send one answer of the Messages API, as server-sent events. */
function sendAction(response: http.ServerResponse, model: string, action: ModelAction): void {
  if ('hang' in action) return // The model never answers; the connection stays open.
  if ('refuse' in action) return sendRefusal(response, action)
  const send = (event: Record<string, unknown> & { type: string }) =>
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  send({
    type: 'message_start',
    message: {
      id: `msg_${randomUUID()}`,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      usage: { input_tokens: 100, output_tokens: 1 },
    },
  })
  if ('say' in action) {
    send({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })
    send({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: action.say } })
  } else {
    const [name, input] = toToolUse(action)
    send({
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'tool_use', id: `toolu_${randomUUID()}`, name, input: {} },
    })
    send({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'input_json_delta', partial_json: JSON.stringify(input) },
    })
  }
  send({ type: 'content_block_stop', index: 0 })
  send({
    type: 'message_delta',
    delta: { stop_reason: 'say' in action ? 'end_turn' : 'tool_use', stop_sequence: null },
    usage: { output_tokens: 20 },
  })
  send({ type: 'message_stop' })
  response.end()
}

type ToolAction = Extract<ModelAction, { bash: string } | { use: string } | { write: string }>

function toToolUse(action: ToolAction): [name: string, input: Record<string, unknown>] {
  if ('bash' in action) return ['Bash', { command: action.bash, description: 'as scripted' }]
  if ('use' in action) return [action.use, action.input]
  return ['Write', { file_path: action.write, content: action.text }]
}

type Refusal = Extract<ModelAction, { refuse: number }>

/** Send an error of the vendor, with the headers that come with it. */
function sendRefusal(response: http.ServerResponse, { refuse: status, kind, reason, headers }: Refusal): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify({ type: 'error', error: { type: kind, message: reason } }))
}

function sendJudgeReply(response: http.ServerResponse, reply: string): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(
    JSON.stringify({
      candidates: [{ content: { role: 'model', parts: [{ text: reply }] }, finishReason: 'STOP', index: 0 }],
      usageMetadata: { promptTokenCount: 1000, candidatesTokenCount: 100 },
    }),
  )
}

function extractPacket(body: string): string {
  const { contents } = JSON.parse(body) as { contents: { parts: { text?: string }[] }[] }
  return contents.flatMap(({ parts }) => parts.map(part => part.text ?? '')).join('\n')
}
