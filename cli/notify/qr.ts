import { renderUnicodeCompact } from 'uqr'

/**
 * The address that the ntfy app for Android opens and subscribes to. Undefined for a server under a path: such an address
 * has no room for one. Pure.
 */
export function buildSubscribeUrl(server: string, topic: string): string | undefined {
  const { protocol, host, pathname } = new URL(server)
  if (pathname !== '/') return undefined
  return `ntfy://${host}/${topic}${protocol === 'http:' ? '?secure=false' : ''}`
}

/**
 * A text as a QR code, two modules a character: 37 columns for ntfy.sh, 73 for the longest host. Black on white by its own colours, for
 * half the terminals are dark; four modules of margin, as the standard asks. Pure.
 */
export function renderQr(text: string): string[] {
  return renderUnicodeCompact(text, { ecc: 'L', border: 4 })
    .split('\n')
    .map(line => `${WHITE_ON_BLACK_STYLE}${line}${RESET_STYLE}`)
}

/** The blocks are the white modules, so they are what is painted: colours 231 and 16, which no theme changes. */
const WHITE_ON_BLACK_STYLE = '\u001b[38;5;231;48;5;16m'
const RESET_STYLE = '\u001b[0m'
