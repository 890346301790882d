import type { Token } from '#host/markdown.ts'
import { sanitize } from '#host/text.ts'

/** Where links and pictures of a document lead. Paths are from the top of the tree. */
export interface MarkdownPlace {
  /** The folder of the document; empty at the top. */
  folder: string
  buildLink(path: string): string
  buildImage(path: string): string
}

/**
 * Render Markdown as HTML that runs nothing and loads nothing from elsewhere. markdown-it only parses; every tag is written here,
 * from a list, and every text is escaped. HTML in the document is text. A link leads to http, https or a path of the same tree;
 * any other is text. A picture of another place becomes a link.
 */
export async function renderMarkdown(text: string, place: MarkdownPlace): Promise<string> {
  const { parseMarkdown } = await import('#host/markdown.ts')
  const { tokens } = parseMarkdown(sanitize(text.replace(/\r\n?/g, '\n')), { html: false })
  return renderTokens(tokens, place)
}

// --- internal ---

const plainTags = new Set('p ul ol li blockquote em strong s table thead tbody tr th td'.split(' '))
const headingTags = new Set(['h1', 'h2', 'h3', 'h4', 'h5', 'h6'])
const REL = 'rel="noreferrer noopener nofollow"'

function renderTokens(tokens: Token[], place: MarkdownPlace): string {
  const links: boolean[] = []
  return tokens
    .map((token, index) => {
      if (token.type === 'link_open') {
        const address = resolveLink(getAttribute(token, 'href'), place)
        links.push(address !== undefined)
        return address === undefined ? '' : `<a href="${escapeHtml(address)}" ${REL}>`
      }
      if (token.type === 'link_close') return links.pop() ? '</a>' : ''
      return renderToken(token, tokens[index + 1], place)
    })
    .join('')
}

function renderToken(token: Token, next: Token | undefined, place: MarkdownPlace): string {
  const { type, tag, nesting, content, hidden } = token
  if (type === 'inline') return renderTokens(token.children ?? [], place)
  if (type === 'fence' || type === 'code_block') return `<pre tabindex="0"><code>${escapeHtml(content)}</code></pre>\n`
  if (type === 'code_inline') return `<code>${escapeHtml(content)}</code>`
  if (type === 'softbreak') return '\n'
  if (type === 'hardbreak') return '<br>\n'
  if (type === 'hr') return '<hr>\n'
  if (type === 'image') return renderImage(token, place)
  if (nesting === 0) return escapeHtml(content)
  if (hidden || !(plainTags.has(tag) || headingTags.has(tag))) return ''
  if (nesting < 0) return `</${tag}>\n`
  if (headingTags.has(tag)) return `<${tag} id="${buildAnchor(next?.content ?? '')}">`
  const start = tag === 'ol' ? Number(getAttribute(token, 'start') || 1) : 1
  const list = start === 1 || !Number.isSafeInteger(start) ? '' : ` start="${start}"`
  const align = /^text-align:(center|right)$/.exec(getAttribute(token, 'style'))?.[1]
  return `<${tag}${list}${align === undefined ? '' : ` class="${align}"`}>`
}

function renderImage(token: Token, place: MarkdownPlace): string {
  const source = getAttribute(token, 'src')
  const alt = token.content
  const path = resolvePath(source, place.folder)
  if (path !== undefined)
    return `<img src="${escapeHtml(place.buildImage(path))}" alt="${escapeHtml(alt)}" loading="lazy">`
  const label = escapeHtml(`[picture: ${alt || 'without a text'}]`)
  return isWebAddress(source) ? `<a href="${escapeHtml(source)}" ${REL}>${label}</a>` : label
}

function resolveLink(href: string, place: MarkdownPlace): string | undefined {
  if (isWebAddress(href)) return href
  if (href.startsWith('#')) return `#${buildAnchor(decodeAddress(href.slice(1)) ?? '')}`
  const path = resolvePath(href, place.folder)
  return path === undefined ? undefined : place.buildLink(path)
}

/** The path from the top of the tree; undefined for an address with a scheme or a host, and for one above the top. */
function resolvePath(address: string, folder: string): string | undefined {
  const [plain = ''] = address.split(/[?#]/)
  const decoded = decodeAddress(plain)
  if (decoded === undefined || decoded === '' || /^[a-z][a-z\d+.-]*:|^[/\\]{2}/i.test(address)) return undefined
  const names = decoded.startsWith('/') ? [] : folder.split('/').filter(name => name !== '')
  for (const name of decoded.split('/')) {
    if (name === '..' && names.pop() === undefined) return undefined
    if (!['', '.', '..'].includes(name)) names.push(name)
  }
  return names.join('/')
}

/** Prefixed, so that no heading has the id of a part of the page. */
function buildAnchor(heading: string): string {
  const words = heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')
  return `text-${words}`
}

function isWebAddress(address: string): boolean {
  return /^https?:\/\/[^/\\]/i.test(address)
}

/** The parser has encoded what is not ASCII. */
function decodeAddress(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function getAttribute(token: Token, name: string): string {
  return String(token.attrGet(name) ?? '')
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
