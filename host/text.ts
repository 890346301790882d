/**
 * Text that cannot act on a terminal, a log or a push: control characters, escape sequences, bidirectional and
 * zero-width characters and the hidden tag block are shown as `\u{…}`; newline and tab stay.
 */
export function sanitize(text: string): string {
  return text.replace(hiddenCharacters, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** One line of printable text, cut to `width` characters with an ellipsis. */
export function toOneLine(text: string, width: number): string {
  const flat = sanitize(text.replace(/\s+/g, ' ').trim())
  const characters = [...flat]
  return characters.length <= width ? flat : `${characters.slice(0, width - 1).join('')}…`
}

/** A word that `sh` reads as exactly this text. */
export function quoteForShell(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** A pattern for `case` that matches exactly this text. */
export function escapeShellPattern(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&')
}

// C0 but \t \n, DEL and C1, soft hyphen, zero width and direction marks, line separators, invisible operators, tags and
// the supplementary variation selectors (bytes can be hidden in both).
const hiddenCharacters =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu
