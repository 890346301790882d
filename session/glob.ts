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
    !/[\n\0\\]/.test(text) &&
    !text.split('/').includes('..')
  )
}

/** Does the pattern match this path? */
export function matchesGlob(glob: string, file: string): boolean {
  return overlap(segments(glob), file.split('/')) || overlap([...segments(glob), '**'], file.split('/'))
}

/** Is there any path that both patterns match? Exact but for character classes, which count as any character. */
export function globsOverlap(a: string, b: string): boolean {
  return overlap([...segments(a), '**'], [...segments(b), '**'])
}

function segments(glob: string): string[] {
  return glob
    .replace(/^\.\//, '')
    .replace(/\/+$/, '')
    .split('/')
    .filter(segment => segment !== '.')
}

/** Two lists of segments, `**` standing for any number of them. */
function overlap(a: string[], b: string[]): boolean {
  const [first, ...restA] = a
  const [second, ...restB] = b
  if (first === undefined || second === undefined) return [...a, ...b].every(segment => segment === '**')
  if (first === '**') return overlap(restA, b) || overlap(a, restB)
  if (second === '**') return overlap(a, restB) || overlap(restA, b)
  return (
    segmentsMeet([...first.replace(/\[[^\]]*\]/g, '?')], [...second.replace(/\[[^\]]*\]/g, '?')]) &&
    overlap(restA, restB)
  )
}

/** Two patterns within one segment: `*` any number of characters, `?` one. */
function segmentsMeet(a: string[], b: string[]): boolean {
  const [first, ...restA] = a
  const [second, ...restB] = b
  if (first === undefined || second === undefined) return [...a, ...b].every(character => character === '*')
  if (first === '*') return segmentsMeet(restA, b) || segmentsMeet(a, restB)
  if (second === '*') return segmentsMeet(a, restB) || segmentsMeet(restA, b)
  return (first === '?' || second === '?' || first === second) && segmentsMeet(restA, restB)
}
