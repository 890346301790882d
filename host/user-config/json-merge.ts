import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { DispatchError, exitCodes } from '../error.ts'
import { findPosition, parseJsonc } from '../json.ts'
import { inserted, replaced, takenOut } from './json-edit.ts'
/** One value of ours in a JSON file that is somebody else's. */
export const JsonEntry = z.object({
  path: z.array(z.string()),
  value: z.unknown(),
  /** The value is an entry of the list at `path`, beside those of others; by this text in it we know it again. */
  marker: z.string().optional(),
})

export type JsonEntry = z.infer<typeof JsonEntry>

/** An addition that was made, and what is needed to take it back. */
export const InsertedEntry = JsonEntry.extend({
  /** How many steps of the path stood there before. */
  existingDepth: z.number(),
  /** What stood in its place; left out when nothing did. */
  previousValue: z.unknown().optional(),
})

export type InsertedEntry = z.infer<typeof InsertedEntry>

/** The text with our values in it; comments, layout and everything of others stay. What is there already is not added again. */
export function insertEntries(text: string, additions: JsonEntry[], file: string): string {
  const missing = listMissingEntries(text, additions, file)
  return missing.reduce((grown, addition) => add(grown, addition, file), missing.length > 0 ? ensureObject(text) : text)
}

/** The additions that the text lacks, each with what stands in its place now. */
export function listMissingEntries(text: string, additions: JsonEntry[], file: string): InsertedEntry[] {
  const root = readObject(text, file)
  return additions
    .filter(addition => !hasEntry(root, addition))
    .map(addition => {
      const was = readValue(root, addition.path)
      const found = addition.path.findIndex(
        (_, depth) => readValue(root, addition.path.slice(0, depth + 1)) === undefined,
      )
      const existingDepth = found < 0 ? addition.path.length : found
      return {
        ...addition,
        existingDepth,
        ...(addition.marker === undefined && was !== undefined ? { previousValue: was } : {}),
      }
    })
}

/** The text without our values, and without what we made to hold them if it is empty now. */
export function removeEntries(text: string, added: InsertedEntry[], file: string): string {
  return added.toReversed().reduce((shrunk, one) => remove(shrunk, one, file), text)
}

// --- internal ---

type Path = (string | number)[]

/** An empty file is as good as an empty object: claude says nothing of one either. */
const ensureObject = (text: string) => (isBlank(text) ? `${text.startsWith('\ufeff') ? '\ufeff' : ''}{}\n` : text)
const isBlank = (text: string) => text.replace(/^\ufeff/, '').trim() === ''

function add(text: string, { path, value, marker }: JsonEntry, file: string): string {
  const root = readObject(text, file)
  const missing = path.findIndex((_, depth) => readValue(root, path.slice(0, depth + 1)) === undefined)
  const stood = missing < 0 ? path.length : missing
  for (let depth = 1; depth <= stood; depth++) {
    const place = path.slice(0, depth)
    const isList = depth === path.length && marker !== undefined
    if (depth === path.length && !isList) return replaced(text, path, value)
    if (isList ? !Array.isArray(readValue(root, place)) : !isObject(readValue(root, place)))
      throw createPositionError(text, place, file, `"${place.join('.')}" is no ${isList ? 'list' : 'object'}`)
  }
  if (stood === path.length) return inserted(text, path, { value })
  const whole = path.slice(stood + 1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), marker ? [value] : value)
  return inserted(text, path.slice(0, stood), { key: path[stood] ?? '', value: whole })
}

function remove(text: string, added: InsertedEntry, file: string): string {
  const { path, value, marker, previousValue, existingDepth } = added
  const found = readValue(readObject(text, file), path)
  if (marker === undefined) {
    if (!isDeepStrictEqual(found, value)) return text // Somebody has changed it since: it is theirs now.
    return previousValue === undefined
      ? removeEmptyParents(takenOut(text, path), path.slice(0, -1), existingDepth, file)
      : replaced(text, path, previousValue)
  }
  if (!Array.isArray(found)) return text
  const index = found.findIndex(entry => hasMarker(entry, marker))
  if (index < 0) return text
  const place = [...path, index]
  const inner = isDeepStrictEqual(found[index], value) ? place : [...place, ...(findMarker(found[index], marker) ?? [])]
  const without = takenOut(text, inner)
  const cleared = inner.length > place.length && isHollow(readValue(readObject(without, file), place))
  const shrunk = removeEmptyParents(cleared ? takenOut(without, place) : without, path, existingDepth, file)
  return remove(shrunk, added, file) // There is a second one when somebody has copied ours.
}

/** Take out what is empty now, from the inside out, as far as it was we who made it. */
function removeEmptyParents(text: string, path: Path, stood: number, file: string): string {
  if (path.length <= stood || path.length === 0 || !isEmpty(readValue(readObject(text, file), path))) return text
  return removeEmptyParents(takenOut(text, path), path.slice(0, -1), stood, file)
}

function hasEntry(root: unknown, { path, value, marker }: JsonEntry): boolean {
  const found = readValue(root, path)
  if (marker === undefined) return isDeepStrictEqual(found, value)
  return Array.isArray(found) && found.some(entry => hasMarker(entry, marker))
}

/** Where in this entry the object stands that has the mark as one of its values. */
function findMarker(entry: unknown, mark: string): Path | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined
  if (Object.values(entry).includes(mark)) return []
  for (const [key, inner] of Object.entries(entry)) {
    const found = findMarker(inner, mark)
    if (found) return [Array.isArray(entry) ? Number(key) : key, ...found]
  }
  return undefined
}

const hasMarker = (entry: unknown, mark: string) => findMarker(entry, mark) !== undefined

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0

/** Nothing in it but empty lists and objects. */
function isHollow(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(isHollow)
}

function readValue(root: unknown, path: Path): unknown {
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
  const { value, problems } = parseJsonc(text)
  const [first] = problems
  if (first) throw createReadError(file, first, first.message)
  if (!isObject(value)) throw createPositionError(text, [], file, 'it holds no object')
  return value
}

const createPositionError = (text: string, path: Path, file: string, why: string) =>
  createReadError(file, findPosition(text, path), why)

function createReadError(file: string, { line, column }: { line: number; column: number }, why: string): DispatchError {
  return new DispatchError(`${file}:${line}:${column}: ${why}; the file was left as it is`, {
    exitCode: exitCodes.usage,
    remedy: 'Mend it there, then run the command again.',
  })
}
