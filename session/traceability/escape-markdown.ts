import { sanitize, toOneLine } from '#host/text.ts'

/**
 * Escape untrusted text for one line of GitHub's Markdown: no HTML, no new table cell, no link, no `@mention`, no
 * `#12`. Links, mentions and issues are broken up by an empty comment, which GitHub does not show.
 */
export function escapeMarkdown(text: string, width: number): string {
  return toOneLine(text, width)
    .replace(/[\\`*_[\]|~$]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[@#]/g, `$&${EMPTY_COMMENT}`)
    .replace(/:\/\//g, `:${EMPTY_COMMENT}//`)
    .replace(/\b(?:www|gh|ghsa|cve|mailto|xmpp)(?=[.:-])/gi, `$&${EMPTY_COMMENT}`)
    .replace(/\b[0-9a-f]{4}(?=[0-9a-f]{3,60}\b)/g, `$&${EMPTY_COMMENT}`)
}

/** Text of others as a block that nothing in it can end, and in which nothing is a link, a mention or a mark of dispatch. */
export function fenceText(text: string): string {
  const plain = disarmMarks(sanitize(text))
  const longestRun = Math.max(2, ...(plain.match(/`+/g) ?? []).map(run => run.length))
  const fence = '`'.repeat(longestRun + 1)
  return `${fence}text\n${plain}\n${fence}`
}

/** In code, a mark of dispatch would still be one, by which a part of a text is found again. Pure. */
export function disarmMarks(text: string): string {
  return text.replaceAll('<!-- dispatch:', '<!- dispatch:')
}

/** Format code for a table cell of GitHub's Markdown, on one line (`⏎` for a line break), cut at `width` characters. */
export function formatInlineCode(text: string, width: number): string {
  const line = disarmMarks(toOneLine(text.trim().replace(/[ \t]*\r?\n[ \t]*/g, ' ⏎ '), width))
  if (line === '') return ''
  if (line.includes('\\|'))
    // Parsers differ on `\\|`.
    return `<code>${line.replace(/[^\p{L}\p{N} ]/gu, character => `&#${character.codePointAt(0)};`)}</code>`
  const longestRun = Math.max(0, ...(line.match(/`+/g) ?? []).map(run => run.length))
  const fence = '`'.repeat(longestRun + 1)
  const pad = longestRun > 0 && /^`|`$/.test(line) ? ' ' : ''
  return `${fence}${pad}${line.replaceAll('|', '\\|')}${pad}${fence}`
}

const EMPTY_COMMENT = '<!-- -->'
