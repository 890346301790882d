import {
  applyEdits,
  findNodeAtLocation,
  modify,
  type ParseError,
  parse,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser'

/** Something in a JSON file that does not read, and where: counted from 1. */
export interface Misread {
  line: number
  column: number
  what: string
}

/** Read JSON as people write it: with comments, trailing commas and a byte order mark. */
export function readJsonc(text: string): { value: unknown; misread: Misread[] } {
  const errors: ParseError[] = []
  const value: unknown = parse(withoutMark(text), errors, { allowTrailingComma: true, disallowComments: false })
  const misread = errors.map(({ error, offset }) => ({
    ...placeAt(withoutMark(text), offset),
    what: printParseErrorCode(error)
      .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
      .toLowerCase(),
  }))
  return { value, misread }
}

/** Where a value stands in the text, or the innermost one above it that is there; counted from 1. */
export function placeOf(text: string, path: (string | number)[]): { line: number; column: number } {
  const root = parseTree(withoutMark(text), [], { allowTrailingComma: true })
  for (let depth = path.length; depth >= 0; depth--) {
    const node = root && findNodeAtLocation(root, path.slice(0, depth))
    if (node) return placeAt(withoutMark(text), node.parent?.type === 'property' ? node.parent.offset : node.offset)
  }
  return { line: 1, column: 1 }
}

/** The text with one value set, added (`-1` as the last step appends to an array) or, with `undefined`, taken out; comments and layout stay. */
export function withValue(text: string, path: (string | number)[], value: unknown): string {
  const mark = text.startsWith('\ufeff') ? '\ufeff' : ''
  const bare = withoutMark(text)
  const formattingOptions = {
    insertSpaces: !/^\t/m.test(bare),
    tabSize: /^( +)\S/m.exec(bare)?.[1]?.length ?? 2,
    eol: bare.includes('\r\n') ? '\r\n' : '\n',
  }
  return mark + applyEdits(bare, modify(bare, path, value, { formattingOptions }))
}

// --- internal ---

const withoutMark = (text: string) => text.replace(/^\ufeff/, '')

function placeAt(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
