import MarkdownIt, { type Env, type Token } from 'markdown-it'

export type { Token }

/** A text of Markdown as the parser sees it. */
export interface ParsedMarkdown {
  tokens: Token[]
  /** The labels of definitions of links, as they are compared, that a link may use. */
  usedLabels: Set<string>
}

/** Parse a text of Markdown, with HTML as such or as text. Pure. */
export function parseMarkdown(text: string, { html }: { html: boolean }): ParsedMarkdown {
  const parser = new MarkdownIt({ html, linkify: false, typographer: false })
  const usedLabels = new Set<string>()
  const references = new Proxy<NonNullable<Env['references']>>(
    {},
    {
      get(known, label: string) {
        usedLabels.add(label)
        return known[label]
      },
    },
  )
  // The definitions are read before the links.
  parser.core.ruler.before('inline', 'forget the definitions', () => usedLabels.clear())
  return { tokens: parser.parse(text, { references }), usedLabels }
}

/** The label of a link in the form in which labels are compared. Pure. */
export function normalizeLabel(label: string): string {
  return label.trim().replace(/\s+/g, ' ').toLowerCase().toUpperCase()
}
