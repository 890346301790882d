import { randomUUID } from 'node:crypto'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import type { ModelAction, Scenario } from './scenario.ts'
import { answerAsJudge, detectRole, type MessagesRequest, pickNextAction } from './scripted-turns.ts'

/** What the server has seen of one request, for tests. */
export interface RecordedRequest {
  at: number
  path: string
  role: string | undefined
  body: string
}

export interface FakeModels {
  url: string
  requests: RecordedRequest[]
  close(): Promise<void>
}

/** A server on loopback that speaks the Messages API, the Gemini API and ntfy, and plays the models of one scenario. */
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
  seen: RecordedRequest[],
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const body = await text(request)
  const path = request.url ?? ''
  const note = (role: string | undefined) => seen.push({ at: Date.now(), path, role, body })
  if (request.method === 'POST' && /^\/v1\/messages(\?|$)/.test(path)) {
    const asked = JSON.parse(body) as MessagesRequest
    note(detectRole(asked))
    return sendAction(response, asked.model, pickNextAction(scenario, asked))
  }
  if (request.method === 'POST' && path.includes(':generateContent')) {
    const round = seen.filter(earlier => earlier.role === 'judge').length
    note('judge')
    return sendJudgeReply(response, answerAsJudge(extractPacket(body), scenario.judge?.[round]))
  }
  note(undefined)
  if (request.method === 'POST')
    return void response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ id: randomUUID(), event: 'message' }))
  response.writeHead(request.method === 'HEAD' ? 200 : 404).end()
}

/** One answer of the Messages API as server-sent events. */
function sendAction(response: http.ServerResponse, model: string, act: ModelAction): void {
  if ('hang' in act) return // The model thinks for ever; the connection stays open.
  if ('refuse' in act) return sendRefusal(response, act)
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
  if ('say' in act) {
    send({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })
    send({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: act.say } })
  } else {
    const [name, input] =
      'bash' in act
        ? ['Bash', { command: act.bash, description: 'as scripted' }]
        : 'use' in act
          ? [act.use, act.input]
          : ['Write', { file_path: act.write, content: act.text }]
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
    delta: { stop_reason: 'say' in act ? 'end_turn' : 'tool_use', stop_sequence: null },
    usage: { output_tokens: 20 },
  })
  send({ type: 'message_stop' })
  response.end()
}

/** The vendor does not answer: an error of its own kind, with the headers that come with it. */
function sendRefusal(response: http.ServerResponse, { refuse: status, kind, reason, headers }: Refusal): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify({ type: 'error', error: { type: kind, message: reason } }))
}

type Refusal = Extract<ModelAction, { refuse: number }>

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
