import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { DispatchError, exits } from './error.ts'
import { placeOf, readJsonc } from './jsonc.ts'
import { inserted, replaced, takenOut } from './splice.ts'

/** One value of ours in a JSON file that is somebody else's. */
export const Addition = z.object({
  path: z.array(z.string()),
  value: z.unknown(),
  /** The value is an entry of the list at `path`, beside those of others; by this text in it we know it again. */
  mark: z.string().optional(),
})

export type Addition = z.infer<typeof Addition>

/** An addition that was made, and what is needed to take it back. */
export const Added = Addition.extend({
  /** How many steps of the path stood there before. */
  stood: z.number(),
  /** What stood in its place; left out when nothing did. */
  was: z.unknown().optional(),
})

export type Added = z.infer<typeof Added>

/** The text with our values in it; comments, layout and everything of others stay. What is there already is not added again. */
export function withAdditions(text: string, additions: Addition[], file: string): string {
  const missing = missingFrom(text, additions, file)
  return missing.reduce((grown, addition) => add(grown, addition, file), missing.length > 0 ? begun(text) : text)
}

/** The additions that the text lacks, each with what stands in its place now. */
export function missingFrom(text: string, additions: Addition[], file: string): Added[] {
  const root = readObject(text, file)
  return additions
    .filter(addition => !isThere(root, addition))
    .map(addition => {
      const was = at(root, addition.path)
      const found = addition.path.findIndex((_, depth) => at(root, addition.path.slice(0, depth + 1)) === undefined)
      const stood = found < 0 ? addition.path.length : found
      return { ...addition, stood, ...(addition.mark === undefined && was !== undefined ? { was } : {}) }
    })
}

/** The text without our values, and without what we made to hold them if it is empty now. */
export function withoutAdditions(text: string, added: Added[], file: string): string {
  return added.toReversed().reduce((shrunk, one) => remove(shrunk, one, file), text)
}

// --- internal ---

type Path = (string | number)[]

/** An empty file is as good as an empty object: claude says nothing of one either. */
const begun = (text: string) => (isBlank(text) ? `${text.startsWith('\ufeff') ? '\ufeff' : ''}{}\n` : text)
const isBlank = (text: string) => text.replace(/^\ufeff/, '').trim() === ''

function add(text: string, { path, value, mark }: Addition, file: string): string {
  const root = readObject(text, file)
  const missing = path.findIndex((_, depth) => at(root, path.slice(0, depth + 1)) === undefined)
  const stood = missing < 0 ? path.length : missing
  for (let depth = 1; depth <= stood; depth++) {
    const place = path.slice(0, depth)
    const isList = depth === path.length && mark !== undefined
    if (depth === path.length && !isList) return replaced(text, path, value)
    if (isList ? !Array.isArray(at(root, place)) : !isObject(at(root, place)))
      throw refused(text, place, file, `"${place.join('.')}" is no ${isList ? 'list' : 'object'}`)
  }
  if (stood === path.length) return inserted(text, path, { value })
  const whole = path.slice(stood + 1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), mark ? [value] : value)
  return inserted(text, path.slice(0, stood), { key: path[stood] ?? '', value: whole })
}

function remove(text: string, added: Added, file: string): string {
  const { path, value, mark, was, stood } = added
  const found = at(readObject(text, file), path)
  if (mark === undefined) {
    if (!isDeepStrictEqual(found, value)) return text // Somebody has changed it since: it is theirs now.
    return was === undefined ? pruned(takenOut(text, path), path.slice(0, -1), stood, file) : replaced(text, path, was)
  }
  if (!Array.isArray(found)) return text
  const index = found.findIndex(entry => carries(entry, mark))
  if (index < 0) return text
  const place = [...path, index]
  const inner = isDeepStrictEqual(found[index], value) ? place : [...place, ...(placeIn(found[index], mark) ?? [])]
  const without = takenOut(text, inner)
  const cleared = inner.length > place.length && isHollow(at(readObject(without, file), place))
  const shrunk = pruned(cleared ? takenOut(without, place) : without, path, stood, file)
  return remove(shrunk, added, file) // There is a second one when somebody has copied ours.
}

/** Take out what is empty now, from the inside out, as far as it was we who made it. */
function pruned(text: string, path: Path, stood: number, file: string): string {
  if (path.length <= stood || path.length === 0 || !isEmpty(at(readObject(text, file), path))) return text
  return pruned(takenOut(text, path), path.slice(0, -1), stood, file)
}

function isThere(root: unknown, { path, value, mark }: Addition): boolean {
  const found = at(root, path)
  if (mark === undefined) return isDeepStrictEqual(found, value)
  return Array.isArray(found) && found.some(entry => carries(entry, mark))
}

/** Where in this entry the object stands that has the mark as one of its values. */
function placeIn(entry: unknown, mark: string): Path | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined
  if (Object.values(entry).includes(mark)) return []
  for (const [key, inner] of Object.entries(entry)) {
    const found = placeIn(inner, mark)
    if (found) return [Array.isArray(entry) ? Number(key) : key, ...found]
  }
  return undefined
}

const carries = (entry: unknown, mark: string) => placeIn(entry, mark) !== undefined

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0

/** Nothing in it but empty lists and objects. */
function isHollow(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(isHollow)
}

function at(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string | number, unknown>)[key]
        : undefined,
    root,
  )
}

function readObject(text: string, file: string): Record<string, unknown> {
  if (isBlank(text)) return {}
  const { value, misread } = readJsonc(text)
  const [first] = misread
  if (first) throw unreadable(file, first, first.what)
  if (!isObject(value)) throw refused(text, [], file, 'it holds no object')
  return value
}

const refused = (text: string, path: Path, file: string, why: string) => unreadable(file, placeOf(text, path), why)

function unreadable(file: string, { line, column }: { line: number; column: number }, why: string): DispatchError {
  return new DispatchError(`${file}:${line}:${column}: ${why}; the file was left as it is`, {
    exit: exits.usage,
    remedy: 'Mend it there, then run the command again.',
  })
}
