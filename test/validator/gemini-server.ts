import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JudgeConfig } from '../../validator/gemini.ts'

/** What the server does with one request. */
export type GeminiBehavior =
  | { status?: number; body: string; headers?: Record<string, string> }
  | { break: 'reset' | 'half' | 'hang' | 'flood' }

export interface GeminiRequest {
  method: string
  url: string
  key: string
  body: {
    contents: { parts: { text: string }[] }[]
    systemInstruction: { parts: { text: string }[] }
    generationConfig: Record<string, unknown>
  }
}

/** A loopback server that speaks Gemini's REST, as far as a judge needs it. */
export async function startFakeGemini(act: (seen: GeminiRequest, count: number) => GeminiBehavior) {
  const seen: GeminiRequest[] = []
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const one: GeminiRequest = {
      method: request.method ?? '',
      url: request.url ?? '',
      key: String(request.headers['x-goog-api-key']),
      body: text === '' ? {} : JSON.parse(text),
    }
    seen.push(one)
    perform(act(one, seen.length), request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Settings that lead to that server. */
export function buildJudgeConfig(url: string, more: Partial<JudgeConfig> = {}): JudgeConfig {
  return {
    GEMINI_API_KEY: 'AIza-secret-of-this-test-0123456789',
    GOOGLE_GEMINI_BASE_URL: url,
    JUDGE_MODEL: 'gemini-test',
    JUDGE_TIMEOUT_SEC: 10,
    ...more,
  }
}

/** A whole response round a text, as Gemini sends it. */
export function createTextResponse(text: string, more: Record<string, unknown> = {}): GeminiBehavior {
  return {
    body: JSON.stringify({
      candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0, ...more }],
      usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 20, totalTokenCount: 120 },
      modelVersion: 'gemini-test-001',
    }),
  }
}

/** An error as Google's servers send it. */
export function createErrorResponse(
  status: number,
  name: string,
  message: string,
  details: unknown[] = [],
): GeminiBehavior {
  return { status, body: JSON.stringify({ error: { code: status, message, status: name, details } }) }
}

function perform(act: GeminiBehavior, request: http.IncomingMessage, response: http.ServerResponse): void {
  if ('body' in act) {
    response.writeHead(act.status ?? 200, { 'content-type': 'application/json', ...act.headers })
    response.end(act.body)
    return
  }
  if (act.break === 'reset') request.socket.resetAndDestroy()
  if (act.break === 'half') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' })
    response.write('{"candidates": [')
    setTimeout(() => request.socket.destroy(), 20)
  }
  if (act.break === 'flood') {
    response.writeHead(200, { 'content-type': 'application/json' })
    const pour = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
      if (!response.destroyed) response.once('drain', pour)
    }
    pour()
  }
}
