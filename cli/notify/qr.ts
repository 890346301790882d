import { renderUnicodeCompact } from 'uqr'

/** The URL that the ntfy app for Android subscribes to. It cannot contain a path, so a server below one has none. Pure. */
export function buildSubscribeUrl(server: string, topic: string): string | undefined {
  const { protocol, host, pathname } = new URL(server)
  if (pathname !== '/') return undefined
  return `ntfy://${host}/${topic}${protocol === 'http:' ? '?secure=false' : ''}`
}

/**
 * A text as the lines of a QR code, two modules a character: 37 columns for ntfy.sh, 73 for the longest host. It sets its
 * own colors, black on white, because many terminals are dark. The margin is four modules, as the standard asks. Pure.
 */
export function renderQr(text: string): string[] {
  return renderUnicodeCompact(text, { ecc: 'L', border: 4 })
    .split('\n')
    .map(line => `${WHITE_ON_BLACK_STYLE}${line}${RESET_STYLE}`)
}

/** The block characters are the white modules, so they are what gets painted: colors 231 and 16, which no theme changes. */
const WHITE_ON_BLACK_STYLE = '\u001b[38;5;231;48;5;16m'
const RESET_STYLE = '\u001b[0m'
