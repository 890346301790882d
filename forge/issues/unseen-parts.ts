import { parseMarkdown, type Token } from '#host/markdown.ts'

/**
 * A text of Markdown without what GitHub shows only to a mouse, or nowhere: footnotes that nothing leads to, attributes of HTML, titles of
 * links, links without words, long words that stand for an image, and what follows the language of a block of code. Addresses stay. Pure.
 */
export function removeUnseenParts(text: string): string {
  const tokens = parseMarkdown(text, { html: true }).tokens
  const children = tokens.flatMap(token => token.children ?? [])
  const code = tokens.filter(({ type }) => type === 'fence' || type === 'code_block')
  return [
    (part: string) => removeInfo(part, code),
    (part: string) => removeFootnotes(part, code),
    (part: string) => removeAttributes(part, [...tokens, ...children]),
    (part: string) => removeTitles(part, children),
    (part: string) => removeEmptyLinks(part, children),
  ].reduce((part, remove) => remove(part), text)
}

// --- internal ---

/** A picture has a few words that stand for it. */
const MAX_ALT_CHARS = 60
const MAX_VALUE_CHARS = 40

/** The lines of a text that are code, by the parser. */
function listCodeLines(code: Token[]): Set<number> {
  return new Set(
    code.flatMap(({ map }) => (map ? Array.from({ length: map[1] - map[0] }, (_, at) => map[0] + at) : [])),
  )
}

/** After the language of a fence GitHub shows nothing. Lines stay where they are. */
function removeInfo(text: string, code: Token[]): string {
  const lines = text.split('\n')
  for (const { map, info = '' } of code) {
    const [language = '', ...rest] = info.trim().split(/\s+/)
    const line = map ? lines[map[0]] : undefined
    if (rest.length === 0 || map === null || line === undefined) continue
    lines[map[0]] = `${line.slice(0, line.indexOf(language))}${language}`
  }
  return lines.join('\n')
}

/** `[^1]: words`, with its further lines, is shown where `[^1]` stands. */
function removeFootnotes(text: string, code: Token[]): string {
  if (!text.includes('[^')) return text
  const inCode = listCodeLines(code)
  const lines = text.split('\n')
  const definitions = lines.map((line, number) => (inCode.has(number) ? undefined : FOOTNOTE.exec(line)?.[1]))
  const used = new Set(
    lines.flatMap(line => [...line.replace(FOOTNOTE, '').matchAll(REFERENCE)].map(([, label]) => label)),
  )
  let isHidden = false
  let isAfterBlank = false
  return lines
    .filter((line, number) => {
      const label = definitions[number]
      if (label !== undefined) isHidden = !used.has(label)
      else if (isAfterBlank && line.trim() !== '' && !/^(\t| {4})/.test(line)) isHidden = false
      isAfterBlank = line.trim() === ''
      return !isHidden || isAfterBlank
    })
    .join('\n')
}

const REFERENCE = /\[\^([^\]\s]+)\]/g
const FOOTNOTE = /^[\s>*+-]*\[\^([^\]\s]+)\]:/

/** Of a tag stay its name, and attributes of one short word or with an address. */
function removeAttributes(text: string, tokens: Token[]): string {
  const html = tokens
    .filter(({ type }) => type === 'html_block' || type === 'html_inline')
    .map(({ content }) => content)
  if (html.length === 0) return text
  const tags = new Set(html.flatMap(content => [...content.matchAll(TAG)].map(([tag]) => tag)))
  return text.replace(TAG, (tag, name: string, attributes = '') => {
    if (!tags.has(tag)) return tag
    const kept = [...attributes.matchAll(ATTRIBUTE)].map(([attribute]) => attribute).filter(isShort)
    const shown = `<${name}${kept.join('')}${attributes.endsWith('/') ? ' /' : ''}>`
    return kept.join('').length === attributes.replace(/\s*\/?$/, '').length ? tag : shown
  })
}

const TAG = /<([A-Za-z][A-Za-z0-9-]*)(\s(?:"[^"]*"|'[^']*'|[^'"<>])*)?>/g
const ATTRIBUTE = /\s+[^\s"'=/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'/]+))?/g

function isShort(attribute: string): boolean {
  const [, name = '', value = ''] = /^\s+([^\s=]+)\s*=?\s*([\s\S]*)$/.exec(attribute) ?? []
  const isWord = !/\s/.test(value.trim())
  return isWord && (value.length <= MAX_VALUE_CHARS || /^(href|src)$/i.test(name))
}

/** `[words](address "title")`, in a definition too. */
function removeTitles(text: string, children: Token[]): string {
  const titles = new Set(children.flatMap(token => token.attrGet('title') ?? []))
  if (titles.size === 0) return text
  return text.replace(TITLE, (whole, quoted: string, end: string) => (titles.has(readTitle(quoted)) ? end : whole))
}

const TITLE = /(?<=\S)\s+("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\((?:\\.|[^()\\])*\))(\s*\)|[ \t]*$)/gm

/** A title as the parser reads it. */
function readTitle(quoted: string): string {
  if (!/[&\\]/.test(quoted)) return quoted.slice(1, -1)
  const [paragraph] = parseMarkdown(`[a](b ${quoted})`, { html: true }).tokens.filter(({ children }) => children)
  return String(paragraph?.children?.[0]?.attrGet('title') ?? '')
}

/** `[](address)` shows nothing, and of an image its words only if it is missing. */
function removeEmptyLinks(text: string, children: Token[]): string {
  const isEmpty = children.some(({ type }, at) => type === 'link_open' && children[at + 1]?.type === 'link_close')
  const long = children.filter(({ type, content }) => type === 'image' && content.length > MAX_ALT_CHARS)
  const shown = isEmpty ? text.replace(/(?<!!)\[\s*\](?:\([^()\n]*\)|\[[^\]\n]*\])/g, '') : text
  return long.reduce((part, { content }) => part.replace(`![${content}]`, '![]'), shown)
}
