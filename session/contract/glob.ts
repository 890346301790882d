/**
 * Path patterns as git's `:(glob)` reads them: `*` and `?` stay inside one segment, `**` is any number of segments,
 * `[a-z]` is a class, and a folder named plainly means all that is in it.
 */
export function isGlob(text: string): boolean {
  return (
    text !== '' &&
    !text.startsWith('/') &&
    !text.startsWith(':') &&
    !text.startsWith('-') &&
    !/[\n\0\\]|\[:/.test(text) &&
    !text.split('/').includes('..')
  )
}

/** Does the pattern match this path, or a folder above it? A path matches its own name, whatever is in it: `app/[id]`. */
export function matchesGlob(glob: string, file: string): boolean {
  const named = splitSegments(glob)
  const folder = glob.endsWith('/')
  if (`${file}${folder ? '' : '/'}`.startsWith(`${named.join('/')}/`)) return true
  const path = file.split('/').map(name => [...name].map(literalPiece))
  const patterns = [[...named, '*', '**'], ...(folder ? [] : [named])]
  return patterns.some(pattern => matchSequences(pattern.map(parsePieces), path, isDeep, matchSegments))
}

/** Is there any path that both patterns match? Exact, but that two character classes always count as sharing one. */
export function globsOverlap(a: string, b: string): boolean {
  return matchSequences(
    [...splitSegments(a), '**'].map(parsePieces),
    [...splitSegments(b), '**'].map(parsePieces),
    isDeep,
    matchSegments,
  )
}

/** The segments of a pattern. A `**` at its end is all that is in the folder, but not the folder itself. */
function splitSegments(glob: string): string[] {
  const named = glob.split('/').filter(segment => segment !== '' && segment !== '.')
  return named.at(-1) === '**' ? [...named.slice(0, -1), '*', '**'] : named
}

/** A piece of a segment: one character (`only`), a choice of characters, or any number of any (`many`). */
interface Piece {
  many?: true
  only?: string
  admits(character: string): boolean
}

const isDeep = (segment: Piece[]) => segment.length === 2 && segment.every(piece => piece.many)
const matchSegments = (a: Piece[], b: Piece[]) => matchSequences(a, b, piece => piece.many === true, matchPieces)

function parsePieces(segment: string): Piece[] {
  return (segment.match(/\[[!^]?\]?[^\]]*\]|./gsu) ?? []).map(piece => {
    if (piece === '*') return { many: true, admits: () => true }
    if (piece === '?') return { admits: () => true }
    return piece.length > 1 && piece.startsWith('[') ? characterClass(piece) : literalPiece(piece)
  })
}

function literalPiece(character: string): Piece {
  return { only: character, admits: other => other === character }
}

/** `[a-z]` or `[!a-z]`; one that does not read admits nothing. */
function characterClass(written: string): Piece {
  const [, negation = '', characters = ''] = /^\[([!^]?)(.*)\]$/su.exec(written) ?? []
  try {
    const set = new RegExp(`^[${negation && '^'}${characters.replace(/[\]\\^]/g, '\\$&')}]$`, 'su')
    return { admits: character => characters !== '' && set.test(character) }
  } catch {
    return { admits: () => false } // Such as [z-a].
  }
}

function matchPieces(a: Piece, b: Piece): boolean {
  return a.only !== undefined ? b.admits(a.only) : b.only === undefined || a.admits(b.only)
}

/** Is there one row that both rows describe, `many` standing for any number of items? Every pair is looked at once. */
function matchSequences<Item>(
  a: Item[],
  b: Item[],
  many: (item: Item) => boolean,
  same: (x: Item, y: Item) => boolean,
): boolean {
  const known = new Map<number, boolean>()
  const from = (i: number, j: number): boolean => {
    const key = i * (b.length + 1) + j
    const answer = known.get(key) ?? look(i, j)
    known.set(key, answer)
    return answer
  }
  const look = (i: number, j: number): boolean => {
    const [x, y] = [a[i], b[j]]
    if (x !== undefined && many(x)) return from(i + 1, j) || (y !== undefined && from(i, j + 1))
    if (y !== undefined && many(y)) return from(i, j + 1) || (x !== undefined && from(i + 1, j))
    return x === undefined || y === undefined ? x === y : same(x, y) && from(i + 1, j + 1)
  }
  return from(0, 0)
}
