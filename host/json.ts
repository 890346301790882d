import {
  createScanner,
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parse,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser'

/** A value, or a `"key": value` of an object: its `offset` and `length` in the text, and its `children`. */
export type JsonNode = Node

/** Something in a JSON file that does not read, and where: counted from 1. */
interface JsonProblem {
  line: number
  column: number
  message: string
}

/** Read JSON as people write it: with comments, trailing commas and a byte order mark. */
export function parseJsonc(text: string): { value: unknown; problems: JsonProblem[] } {
  const errors: ParseError[] = []
  const value: unknown = parse(stripByteOrderMark(text), errors, { allowTrailingComma: true, disallowComments: false })
  const problems = errors.map(({ error, offset }) => ({
    ...toPosition(stripByteOrderMark(text), offset),
    message: printParseErrorCode(error)
      .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
      .toLowerCase(),
  }))
  return { value, problems }
}

/** Where a value stands in the text, or the innermost one above it that is there; counted from 1. */
export function findPosition(text: string, path: (string | number)[]): { line: number; column: number } {
  const root = parseTree(stripByteOrderMark(text), [], { allowTrailingComma: true })
  for (let depth = path.length; depth >= 0; depth--) {
    const node = root && findNodeAtLocation(root, path.slice(0, depth))
    if (node)
      return toPosition(stripByteOrderMark(text), node.parent?.type === 'property' ? node.parent.offset : node.offset)
  }
  return { line: 1, column: 1 }
}

/** The value at `path`; offsets count from the start of the text, which must be valid. Of two equal keys the last one counts. */
export function findNode(text: string, path: (string | number)[]): JsonNode {
  const root = parseTree(text.replace(/^\ufeff/, ' '), [], { allowTrailingComma: true })
  const node = path.reduce<JsonNode | undefined>((holder, step) => {
    if (typeof step === 'number') return holder?.children?.[step]
    return holder?.children?.findLast(({ children }) => children?.[0]?.value === step)?.children?.[1]
  }, root)
  if (node === undefined) throw new Error(`there is no value at ${path.join('.')}`)
  return node
}

/** The offset of the comma that comes next, after blanks and comments; undefined when something else comes next. */
export function findComma(text: string, offset: number): number | undefined {
  const scanner = createScanner(text, true)
  scanner.setPosition(offset)
  scanner.scan()
  const next = scanner.getTokenOffset()
  return text[next] === ',' ? next : undefined
}

/**
 * The value of JSON that may be cut off at any byte. Of cut text it holds what was written up to there: a string that is cut
 * is shorter, a name without a value is left out. `undefined` for text that is not JSON, `{}` for text that is nested too
 * deep to read. Never throws; every name is an own property, `__proto__` too.
 */
export function readTruncatedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return readStart(text)
  }
}

// --- internal ---

/** Through the tree: `parse` of jsonc-parser would make the value of `__proto__` the prototype of the object. */
function readStart(text: string): unknown {
  try {
    const root = parseTree(stripByteOrderMark(text))
    return root && getNodeValue(root)
  } catch (error) {
    if (error instanceof RangeError) return {} // jsonc-parser calls itself for every level.
    throw error
  }
}

const stripByteOrderMark = (text: string) => text.replace(/^\ufeff/, '')

function toPosition(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
