import type { IncomingMessage } from 'node:http'

/** Why a request is refused, with its HTTP status. */
interface Refusal {
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

/** The headers of every answer. There must never be a CORS header among them. */
export const securityHeaders: Record<string, string> = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
}

/** The policy of a raw file: a browser shows it as text and runs nothing. */
export const rawFilePolicy = "sandbox; default-src 'none'; frame-ancestors 'none'"

/** The same for SVG, which may have a style of its own. */
export const svgFilePolicy = `${rawFilePolicy}; style-src 'unsafe-inline'`

/**
 * Check a request; undefined if it is allowed. The list of names stops a page whose name was pointed at loopback (DNS
 * rebinding). Such a page needs a name, not a port, so every port is allowed: a tunnel has its own. Sec-Fetch-Site and
 * Origin stop a page of another site that uses the right name. `hostNames`: names allowed beside those of loopback.
 */
export function refuseRequest(request: IncomingMessage, hostNames: string[] = []): Refusal | undefined {
  const { method = '', url = '', headers } = request
  const { host = '', origin } = headers
  const isLoopback = loopbackNames.includes(parseHostName(host))
  if (countHeader(request, 'host') !== 1 || !(isLoopback || hostNames.includes(parseHostName(host))))
    return {
      status: 421,
      message:
        'This page answers at http://localhost and http://127.0.0.1, on any port, so also through a tunnel. To reach it by\nanother name, add that name to WEBUI_HOSTS and start the page again.',
    }
  if (!['same-origin', 'none'].includes(String(headers['sec-fetch-site'] ?? 'none')))
    return { status: 403, message: 'Cross-site request blocked. Type the address into the address bar.' }
  // Behind another name there may be a proxy that speaks TLS.
  const origins = isLoopback ? [`http://${host}`] : [`http://${host}`, `https://${host}`]
  if (countHeader(request, 'origin') > 1 || (origin !== undefined && !origins.includes(origin)))
    return { status: 403, message: 'Cross-site request blocked.' }
  if (method !== 'GET' && method !== 'HEAD')
    return { status: 405, message: 'This page is read-only: it answers GET and HEAD.' }
  if (!url.startsWith('/')) return { status: 400, message: 'The request must name a path.' }
  return undefined
}

// --- internal ---

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]']

/** The name in a Host header, without its port; empty for anything else. */
function parseHostName(host: string): string {
  return /^([a-z0-9.-]+|\[::1\])(:[1-9]\d{0,4})?$/.exec(host)?.[1] ?? ''
}

/** Of two Host headers `request.headers` has only the first. The raw list has both. */
function countHeader(request: IncomingMessage, name: string): number {
  return request.rawHeaders.filter((header, index) => index % 2 === 0 && header.toLowerCase() === name).length
}
