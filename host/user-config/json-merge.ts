import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { DispatchError, exitCodes } from '../error.ts'
import { findPosition, type JsonPath, parseJsonc, type TextPosition } from '../json.ts'
import { insertValue, removeValue, replaceValue } from './json-edit.ts'

/** One value that dispatch adds to a JSON file of the user. */
const JsonEntry = z.object({
  path: z.array(z.string()),
  value: z.unknown(),
  /** If set, the value is an item of the list at `path`, beside items of others. This text in it identifies the item. */
  marker: z.string().optional(),
})
export type JsonEntry = z.infer<typeof JsonEntry>

/** An entry that was added, with what is needed to remove it. */
export const InsertedEntry = JsonEntry.extend({
  /** How many steps of the path existed before. */
  existingDepth: z.number(),
  /** The value that was replaced, if there was one. */
  previousValue: z.unknown().optional(),
})
export type InsertedEntry = z.infer<typeof InsertedEntry>

/** The text with the missing entries added; everything else stays. Exit 2 for text that is not JSON. */
export function insertEntries(text: string, entries: JsonEntry[], file: string): string {
  const missing = listMissingEntries(text, entries, file)
  if (missing.length === 0) return text
  // An empty file counts as an empty object, as it does for claude.
  const start = text.trim() === '' ? `${text.startsWith('\ufeff') ? '\ufeff' : ''}{}\n` : text
  return missing.reduce((current, entry) => insertEntry(current, entry, file), start)
}

/** The entries that the text does not have, each with what is in its place now. */
export function listMissingEntries(text: string, entries: JsonEntry[], file: string): InsertedEntry[] {
  const root = readObject(text, file)
  return entries
    .filter(entry => !hasEntry(root, entry))
    .map(entry => {
      const previousValue = entry.marker === undefined ? readValue(root, entry.path) : undefined
      const existingDepth = countExistingSteps(root, entry.path)
      return { ...entry, existingDepth, ...(previousValue === undefined ? {} : { previousValue }) }
    })
}

/** The text without the added entries, and without the objects and lists added for them, if they are empty now. */
export function removeEntries(text: string, added: InsertedEntry[], file: string): string {
  return added.toReversed().reduce((current, entry) => removeEntry(current, entry, file), text)
}

// --- internal ---

function countExistingSteps(root: unknown, path: JsonPath): number {
  const missing = path.findIndex((_, index) => readValue(root, path.slice(0, index + 1)) === undefined)
  return missing < 0 ? path.length : missing
}

function insertEntry(text: string, { path, value, marker }: JsonEntry, file: string): string {
  const root = readObject(text, file)
  const existingDepth = countExistingSteps(root, path)
  for (let depth = 1; depth <= existingDepth; depth++) {
    const isLast = depth === path.length
    if (isLast && marker === undefined) return replaceValue(text, path, value)
    const parentPath = path.slice(0, depth)
    const parent = readValue(root, parentPath)
    if (isLast ? Array.isArray(parent) : isObject(parent)) continue
    const message = `"${parentPath.join('.')}" is not ${isLast ? 'a list' : 'an object'}`
    throw createReadError(file, findPosition(text, parentPath), message)
  }
  if (existingDepth === path.length) return insertValue(text, path, { value })
  const newValue = path
    .slice(existingDepth + 1)
    .reduceRight<unknown>((inner, key) => ({ [key]: inner }), marker ? [value] : value)
  return insertValue(text, path.slice(0, existingDepth), { key: path[existingDepth] ?? '', value: newValue })
}

function removeEntry(text: string, entry: InsertedEntry, file: string): string {
  const { path, value, marker, previousValue, existingDepth } = entry
  const current = readValue(readObject(text, file), path)
  if (marker === undefined) {
    if (!isDeepStrictEqual(current, value)) return text // Another program has changed it since.
    return previousValue === undefined
      ? removeEmptyParents(removeValue(text, path), path.slice(0, -1), existingDepth, file)
      : replaceValue(text, path, previousValue)
  }
  if (!Array.isArray(current)) return text
  const index = current.findIndex(item => findMarker(item, marker) !== undefined)
  if (index < 0) return text
  const itemPath = [...path, index]
  const markedPath = isDeepStrictEqual(current[index], value)
    ? itemPath
    : [...itemPath, ...(findMarker(current[index], marker) ?? [])]
  const without = removeValue(text, markedPath)
  const isItemHollow = markedPath.length > itemPath.length && isHollow(readValue(readObject(without, file), itemPath))
  const cleared = isItemHollow ? removeValue(without, itemPath) : without
  const shrunk = removeEmptyParents(cleared, path, existingDepth, file)
  return removeEntry(shrunk, entry, file) // The user may have copied the item.
}

/** Remove the objects and lists at `path` and above that are empty now, down to the depth that existed before. */
function removeEmptyParents(text: string, path: JsonPath, existingDepth: number, file: string): string {
  if (path.length <= existingDepth || path.length === 0) return text
  const value = readValue(readObject(text, file), path)
  if (typeof value !== 'object' || value === null || Object.keys(value).length > 0) return text
  return removeEmptyParents(removeValue(text, path), path.slice(0, -1), existingDepth, file)
}

function hasEntry(root: unknown, { path, value, marker }: JsonEntry): boolean {
  const current = readValue(root, path)
  if (marker === undefined) return isDeepStrictEqual(current, value)
  return Array.isArray(current) && current.some(item => findMarker(item, marker) !== undefined)
}

/** The path inside an item to the object that has the marker as one of its values. */
function findMarker(item: unknown, marker: string): JsonPath | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  if (Object.values(item).includes(marker)) return []
  for (const [key, child] of Object.entries(item)) {
    const path = findMarker(child, marker)
    if (path) return [Array.isArray(item) ? Number(key) : key, ...path]
  }
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Does it contain nothing but empty lists and objects? */
function isHollow(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(isHollow)
}

function readValue(root: unknown, path: JsonPath): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string | number, unknown>)[key]
        : undefined,
    root,
  )
}

function readObject(text: string, file: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  const { value, problems } = parseJsonc(text)
  const [problem] = problems
  if (problem) throw createReadError(file, problem, problem.message)
  if (!isObject(value)) throw createReadError(file, findPosition(text, []), 'this is not an object')
  return value
}

function createReadError(file: string, { line, column }: TextPosition, message: string): DispatchError {
  return new DispatchError(`${file}:${line}:${column}: ${message}; the file was not changed`, {
    exitCode: exitCodes.usage,
    remedy: 'Fix it there, then run the command again.',
  })
}
