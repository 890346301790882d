import { createHmac, randomUUID } from 'node:crypto'
import { http } from '#host/http.ts'

/** Where events are sent, and the secret that signs them. */
export interface Webhook {
  url: string
  secret: string
}

/** The signature of a payload, as `X-Hub-Signature-256` has it. Pure. */
export function signPayload(secret: string, payload: string): string {
  return `sha256=${createHmac('sha256', secret).update(payload).digest('hex')}`
}

/** Send an event, as GitHub does: once, and nothing waits for the answer. Resolves to the status; 0 without an answer. */
export function sendEvent({ url, secret }: Webhook, event: string, payload: object): Promise<number> {
  const body = JSON.stringify(payload)
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/scripted',
    'x-github-event': event,
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': signPayload(secret, body),
  }
  return new Promise(resolve => {
    const sent = http.request(url, { method: 'POST', headers }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', () => resolve(0))
    sent.end(body)
  })
}
