import { unescapePattern } from '#host/path-pattern.ts'

/**
 * Is the text a glob that stays in the repository? Globs work as in git's `:(glob)`: `*` and `?` match within one
 * segment, `**` matches any number of segments, `[a-z]` is a class, a backslash makes the sign after it literal, and the
 * name of a folder matches everything in it.
 */
export function isGlob(text: string): boolean {
  const unescaped = text.replace(/\\[^\p{L}\p{N}_/\n\0]/gu, '') // What is left has no backslash, unless it is misplaced.
  return (
    text !== '' &&
    !/^[/:-]/.test(text) &&
    !/[\n\0\\]|\[[^/]*\[:/.test(unescaped) &&
    !/(?<!\\)\[[^\]/]*\\/.test(text) && // Git reads a backslash in a class, which `parsePieces` does not.
    !unescapePattern(text).split('/').includes('..')
  )
}

/** Does the glob match this path, or a folder above it? Square brackets are a class here: first `decideBrackets`. */
export function matchesGlob(glob: string, file: string): boolean {
  const segments = splitSegments(glob)
  const isFolder = glob.endsWith('/')
  const path = file.split('/').map(name => [...name].map(createLiteralPiece))
  const patterns = [[...segments, '*', '**'], ...(isFolder ? [] : [segments])]
  return patterns.some(pattern => matchSequences(pattern.map(parsePieces), path, isDeep, matchSegments))
}

/** Is there a path that both globs match? Exact, except that two character classes always count as overlapping. */
export function globsOverlap(a: string, b: string): boolean {
  return matchSequences(
    [...splitSegments(a), '**'].map(parsePieces),
    [...splitSegments(b), '**'].map(parsePieces),
    isDeep,
    matchSegments,
  )
}

/** A `**` at the end matches everything in the folder, but not the folder itself. */
function splitSegments(glob: string): string[] {
  const segments = glob.split('/').filter(segment => segment !== '' && segment !== '.')
  return segments.at(-1) === '**' ? [...segments.slice(0, -1), '*', '**'] : segments
}

/** A part of a segment: one character (`literal`), one of a class, or any number of characters (`isMany`). */
interface Piece {
  isMany?: true
  literal?: string
  admits(character: string): boolean
}

const isDeep = (segment: Piece[]) => segment.length === 2 && segment.every(piece => piece.isMany)
const matchSegments = (a: Piece[], b: Piece[]) => matchSequences(a, b, piece => piece.isMany === true, matchPieces)

function parsePieces(segment: string): Piece[] {
  return (segment.match(/\\.|\[[!^]?\]?[^\]]*\]|./gsu) ?? []).map(piece => {
    if (piece.length > 1 && piece.startsWith('\\')) return createLiteralPiece(unescapePattern(piece))
    if (piece === '*') return { isMany: true, admits: () => true }
    if (piece === '?') return { admits: () => true }
    return piece.length > 1 && piece.startsWith('[') ? parseCharacterClass(piece) : createLiteralPiece(piece)
  })
}

function createLiteralPiece(character: string): Piece {
  return { literal: character, admits: other => other === character }
}

/** `[a-z]` or `[!a-z]`; an invalid class such as `[z-a]` matches nothing. */
function parseCharacterClass(text: string): Piece {
  const [, negation = '', characters = ''] = /^\[([!^]?)(.*)\]$/su.exec(text) ?? []
  try {
    const set = new RegExp(`^[${negation && '^'}${characters.replace(/[\]\\^]/g, '\\$&')}]$`, 'su')
    return { admits: character => characters !== '' && set.test(character) }
  } catch {
    return { admits: () => false }
  }
}

function matchPieces(a: Piece, b: Piece): boolean {
  if (a.literal !== undefined) return b.admits(a.literal)
  return b.literal === undefined || a.admits(b.literal)
}

/** Is there a sequence that both patterns match? An `isMany` item stands for any number. Tries each pair once. */
function matchSequences<Item>(
  a: Item[],
  b: Item[],
  isMany: (item: Item) => boolean,
  matches: (x: Item, y: Item) => boolean,
): boolean {
  const results = new Map<number, boolean>()
  const matchFrom = (i: number, j: number): boolean => {
    const key = i * (b.length + 1) + j
    const result = results.get(key) ?? compute(i, j)
    results.set(key, result)
    return result
  }
  const compute = (i: number, j: number): boolean => {
    const [x, y] = [a[i], b[j]]
    if (x !== undefined && isMany(x)) return matchFrom(i + 1, j) || (y !== undefined && matchFrom(i, j + 1))
    if (y !== undefined && isMany(y)) return matchFrom(i, j + 1) || (x !== undefined && matchFrom(i + 1, j))
    return x === undefined || y === undefined ? x === y : matches(x, y) && matchFrom(i + 1, j + 1)
  }
  return matchFrom(0, 0)
}
