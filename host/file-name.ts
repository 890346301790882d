/**
 * Output of git, read as latin1 and so byte by byte, as text. A name need not be UTF-8: each byte that is not becomes one
 * code unit of its own (U+DC80 to U+DCFF, which no UTF-8 has), so that two names stay two and `encodeName` gives the same
 * bytes back. Pure.
 */
export function decodeNames(latin1: string): string {
  const text = decodeUtf8(latin1)
  return text.includes(REPLACEMENT) ? latin1.replace(wordPattern, decodeWord) : text
}

/** The bytes of a name, for git's input or as a path for `fs`. Pure. */
export function encodeName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name)
  return Buffer.concat(
    [...name].map(part => (isRawByte(part) ? Buffer.of(part.charCodeAt(0) & 0xff) : Buffer.from(part))),
  )
}

// --- internal ---

const REPLACEMENT = '\ufffd'
const RAW_BYTE_BASE = 0xdc00

/** What may be one character of UTF-8, or else a single byte of another encoding. */
const wordPattern = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff]/g

function decodeWord(bytes: string): string {
  const text = decodeUtf8(bytes)
  if (!text.includes(REPLACEMENT)) return text
  if (bytes === '\xef\xbf\xbd') return REPLACEMENT
  return [...bytes].map(byte => String.fromCharCode(RAW_BYTE_BASE + byte.charCodeAt(0))).join('')
}

function decodeUtf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

function isRawByte(part: string): boolean {
  return /^[\udc80-\udcff]$/.test(part)
}
