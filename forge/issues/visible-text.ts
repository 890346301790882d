import { normalizeLabel, parseMarkdown } from '#host/markdown.ts'
import { removeUnseenParts } from './unseen-parts.ts'

/**
 * What a reader on GitHub sees of a text of Markdown: without comments and other markup of HTML that shows nothing, also where its end is
 * missing, without definitions of links that no link uses, and without what a link, an image, a footnote or a tag has besides. Code, and
 * HTML that is shown such as `<details>`, stay to the letter. Pure.
 */
export function removeHidden(text: string): string {
  return removeUnseenParts(removeMarkup(removeUnusedDefinitions(text.replaceAll(MARK, ''))))
}

// --- internal ---

/** No word of a person has it. Between two of them is the number of a place. */
const MARK = '\uE0F7'
const MARKED = new RegExp(`${MARK}(\\d+)${MARK}`, 'g')

/** Where markup that shows nothing may begin or end. `<!-->` is a whole comment, without words. */
const PLACES = /<!---?>|<!--|-->|<!\[CDATA\[|<![A-Za-z]|<\?/g

interface Place {
  sign: string
  index: number
}

/** Take out comments. An end that is missing is the end of the text, and one of `<? …` and `<! …` is the next `>`. */
function removeMarkup(text: string): string {
  const places = findMarkup(text)
  const ends = places.filter(({ sign }) => sign === '-->')
  let next = 0
  let shown = ''
  let from = 0
  for (const { sign, index } of places) {
    if (index < from || sign === '-->') continue
    shown += text.slice(from, index)
    let end = ends[next]
    while (end !== undefined && end.index < index) end = ends[++next]
    if (sign === '<!--') from = end === undefined ? text.length : end.index + '-->'.length
    else from = text.indexOf('>', index) + 1 || text.length
  }
  return shown + text.slice(from)
}

/**
 * The places that are HTML, and not code or text. The parser gets the text with a mark in each place, and shows which marks it has
 * taken for HTML.
 */
function findMarkup(text: string): Place[] {
  const places: Place[] = [...text.matchAll(PLACES)]
    .map(({ 0: sign, index }) => ({ sign, index }))
    .filter(({ sign }) => sign === '-->' || !sign.endsWith('>'))
  if (places.length === 0) return []
  let marked = ''
  let from = 0
  for (const [number, { sign, index }] of places.entries()) {
    const at = sign === '-->' ? index : index + sign.length
    marked += `${text.slice(from, at)}${MARK}${number}${MARK}`
    from = at
  }
  marked += text.slice(from)
  const html = parseMarkdown(marked, { html: true })
    .tokens.flatMap(token => token.children ?? [token])
    .filter(({ type }) => type === 'html_block' || type === 'html_inline')
    .map(({ content }) => content)
    .join('')
  const numbers = new Set([...html.matchAll(MARKED)].map(([, number]) => Number(number)))
  return places.filter((_, number) => numbers.has(number))
}

/** `[//]: # (words)` shows nothing. */
function removeUnusedDefinitions(text: string): string {
  const { tokens, usedLabels } = parseMarkdown(text, { html: true })
  const lines = text.split('\n')
  const shown = new Set<number>()
  for (const { type, map } of tokens)
    if (map && !CONTAINERS.test(type)) for (let line = map[0]; line < map[1]; line++) shown.add(line)
  let isHidden = false
  return lines
    .filter((line, number) => {
      if (shown.has(number) || line.trim() === '') isHidden = false
      else {
        const [, label] = DEFINITION.exec(line) ?? []
        // A definition may go on in the next line.
        if (label !== undefined) isHidden = !usedLabels.has(normalizeLabel(label))
      }
      return !isHidden
    })
    .join('\n')
}

/** They span lines that may show nothing. */
const CONTAINERS = /^(blockquote|bullet_list|ordered_list|list_item)_open$/

const DEFINITION = /^[\s>*+\d.)-]*\[((?:[^[\]\\]|\\.)+)\]:/
