import type { IncomingMessage } from 'node:http'

/** A request that is not let in: the status, the words, and for 405 what is allowed. */
export interface Refusal {
  status: 400 | 403 | 405 | 421
  message: string
}

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The headers of every answer. There is no CORS header among them, and there never is one. */
export const securityHeaders: Record<string, string> = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
}

/** The policy of a raw file: text, in a sandbox, whatever it says of itself. */
export const rawFilePolicy = "sandbox; default-src 'none'; frame-ancestors 'none'"

/**
 * Why a request is refused, or undefined when it may go on. The Host list stops a page elsewhere that points its own
 * name at loopback; Sec-Fetch-Site and Origin stop one that asks loopback by our name.
 */
export function refuseRequest(request: IncomingMessage): Refusal | undefined {
  const { method = '', url = '', headers: asked } = request
  const hosts = listAllowedHosts(request.socket.localPort)
  if (countHeader(request, 'host') !== 1 || !hosts.includes(asked.host ?? ''))
    return { status: 421, message: `This page answers to ${hosts[0]} and ${hosts[1]} only.` }
  if (!['same-origin', 'none', undefined].includes(getSingleValue(asked['sec-fetch-site'])))
    return { status: 403, message: 'Another site asked for this page. Type its address yourself.' }
  if (countHeader(request, 'origin') > 1 || (asked.origin !== undefined && asked.origin !== `http://${asked.host}`))
    return { status: 403, message: 'Another site asked for this page.' }
  if (method !== 'GET' && method !== 'HEAD')
    return { status: 405, message: 'The observatory only reads: GET and HEAD.' }
  if (!url.startsWith('/')) return { status: 400, message: 'The request must name a path.' }
  return undefined
}

function listAllowedHosts(port: number | undefined): string[] {
  const suffix = port === 80 ? '' : `:${port}`
  return ['127.0.0.1', 'localhost', '[::1]'].map(name => `${name}${suffix}`)
}

/** Node keeps the first of two Host headers and says nothing; the raw list does not lie. */
function countHeader(request: IncomingMessage, name: string): number {
  return request.rawHeaders.filter((header, at) => at % 2 === 0 && header.toLowerCase() === name).length
}

function getSingleValue(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
