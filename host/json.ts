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

export type JsonPath = (string | number)[]

/** Line and column count from 1. */
export interface TextPosition {
  line: number
  column: number
}

/** Where an offset is in a text. */
export function toPosition(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

/** The value of a JSON text; undefined when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Parse JSON as people write it: with comments, trailing commas and a byte order mark. */
export function parseJsonc(text: string): { value: unknown; problems: (TextPosition & { message: string })[] } {
  const errors: ParseError[] = []
  const json = stripByteOrderMark(text)
  const value: unknown = parse(json, errors, { allowTrailingComma: true, disallowComments: false })
  const problems = errors.map(({ error, offset }) => {
    const words = printParseErrorCode(error).replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    return { ...toPosition(json, offset), message: words.toLowerCase() }
  })
  return { value, problems }
}

/** The position of the value at `path`, or of the innermost value above it that exists. */
export function findPosition(text: string, path: JsonPath): TextPosition {
  const json = stripByteOrderMark(text)
  const root = parseTree(json, [], { allowTrailingComma: true })
  for (let depth = path.length; depth >= 0; depth--) {
    const node = root && findNodeAtLocation(root, path.slice(0, depth))
    if (node) return toPosition(json, node.parent?.type === 'property' ? node.parent.offset : node.offset)
  }
  return { line: 1, column: 1 }
}

/** The value at `path` in a valid text. Offsets count from the start of the text. Of two equal keys the last counts. */
export function findNode(text: string, path: JsonPath): JsonNode {
  const root = parseTree(text.replace(/^\ufeff/, ' '), [], { allowTrailingComma: true })
  const node = path.reduce<JsonNode | undefined>((parent, step) => {
    if (typeof step === 'number') return parent?.children?.[step]
    return parent?.children?.findLast(({ children }) => children?.[0]?.value === step)?.children?.[1]
  }, root)
  if (node === undefined) throw new Error(`there is no value at ${path.join('.')}`)
  return node
}

/** The offset of the comma that follows `offset` after blanks and comments; undefined when something else follows. */
export function findComma(text: string, offset: number): number | undefined {
  const scanner = createScanner(text, true)
  scanner.setPosition(offset)
  scanner.scan()
  const next = scanner.getTokenOffset()
  return text[next] === ',' ? next : undefined
}

/**
 * The value of JSON that may be cut off at any byte. Cut text gives what was complete: a cut string is shorter, a name
 * without a value is left out. `undefined` for text that is not JSON, `{}` for text that is nested too deep to read.
 * Never throws. Every name becomes an own property, even `__proto__`.
 */
export function readTruncatedJson(text: string): unknown {
  const value = parseJson(text)
  if (value !== undefined) return value
  try {
    // Through the tree, because `parse` of jsonc-parser would make the value of `__proto__` the object's prototype.
    const root = parseTree(stripByteOrderMark(text))
    return root && getNodeValue(root)
  } catch (error) {
    if (error instanceof RangeError) return {} // jsonc-parser recurses once for every level.
    throw error
  }
}

// --- internal ---

const stripByteOrderMark = (text: string) => text.replace(/^\ufeff/, '')
