import { stripVTControlCharacters } from 'node:util'

/**
 * Make text safe for a terminal, a log or a push message. Control characters, escape sequences, bidirectional and
 * zero-width characters and the hidden tag block become `\u{…}`, and bytes of a name that is not UTF-8 `\x…`. Newlines
 * and tabs stay.
 */
export function sanitize(text: string): string {
  return text.replace(hiddenCharacters, character => {
    const code = (character.codePointAt(0) ?? 0).toString(16)
    return /[\udc80-\udcff]/.test(character) ? `\\x${code.slice(2)}` : `\\u{${code}}`
  })
}

/**
 * Remove terminal escape sequences. An operating system command (`ESC ]`, such as a link) that does not end is removed up to the
 * next escape or line break. Node's own function searches the rest of the text for the end of each one, so its time would grow
 * with the square of an output that is made for it.
 */
export function stripEscapeSequences(text: string): string {
  return stripVTControlCharacters(text.replace(operatingSystemCommand, ''))
}

/** The words of a list with commas, without blanks. Pure. */
export function splitList(text: string): string[] {
  return text
    .split(',')
    .map(each => each.trim())
    .filter(Boolean)
}

/** The text as one printable line of at most `width` characters, with an ellipsis where it was cut. */
export function toOneLine(text: string, width: number): string {
  const flat = sanitize(text.replace(/\s+/g, ' ').trim())
  const characters = [...flat]
  return characters.length <= width ? flat : `${characters.slice(0, width - 1).join('')}…`
}

/** The same, but cut between words if there is a place for that in its second half. Pure. */
export function toWholeWords(text: string, width: number): string {
  const line = toOneLine(text, Number.POSITIVE_INFINITY)
  const characters = [...line]
  if (characters.length <= width) return line
  const kept = characters.slice(0, width).join('')
  const end = kept.lastIndexOf(' ')
  return end < kept.length / 2 ? toOneLine(line, width) : `${kept.slice(0, end).replace(/[\s,;:(–—-]+$/, '')}…`
}

/** `1 file`, `3 files`, `2 entries`, `2 days`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun}s`.replace(/(?<![aeiou])ys$/, 'ies')}`
}

/** The first `limit` names, printable and separated by commas, and how many more there are. */
export function formatNames(names: string[], limit = 5): string {
  const shown = names.slice(0, limit).map(name => toOneLine(name, MAX_NAME_CHARACTERS))
  return `${shown.join(', ')}${names.length > limit ? ` and ${names.length - limit} more` : ''}`
}

const MAX_NAME_CHARACTERS = 80

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const operatingSystemCommand = /\u001b\][^\u0007\u001b\u009c\r\n]*(?:\u0007|\u001b\\|\u009c)?/g

// C0 but \t \n, DEL and C1, soft hyphen, zero width and direction marks, line separators, invisible operators, tags and
// the supplementary variation selectors (bytes can be hidden in both), and the bytes that `decodeNames` keeps.
const hiddenCharacters =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\udc80-\udcff\u{e0000}-\u{e0fff}]/gu
