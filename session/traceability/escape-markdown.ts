import { toOneLine } from '#host/text.ts'
/**
 * Somebody else's words in a line of GitHub's Markdown: only ever text. No HTML, no table cell of its own, no link, nobody
 * who is called by `@name`, no issue that is called by `#12`. The last three are broken by a comment, which nobody sees.
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

/** Code in a line of a table of GitHub's Markdown: as it is, but that a line break is `⏎`, and it ends at `width`. */
export function formatInlineCode(text: string, width: number): string {
  const flat = toOneLine(text.trim().replace(/[ \t]*\r?\n[ \t]*/g, ' ⏎ '), width)
  if (flat === '') return ''
  if (flat.includes('\\|')) return `<code>${flat.replace(/[^\p{L}\p{N} ]/gu, toHtmlEntity)}</code>` // Readers differ on `\\|`.
  const longest = Math.max(0, ...(flat.match(/`+/g) ?? []).map(run => run.length))
  const fence = '`'.repeat(longest + 1)
  const pad = longest > 0 && /^`|`$/.test(flat) ? ' ' : ''
  return `${fence}${pad}${flat.replaceAll('|', '\\|')}${pad}${fence}`
}

const EMPTY_COMMENT = '<!-- -->'

function toHtmlEntity(sign: string): string {
  return `&#${sign.codePointAt(0)};`
}
