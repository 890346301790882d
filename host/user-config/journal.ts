import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { DispatchError, exitCodes, isErrno } from '../error.ts'
import { toStorageError } from '../fs/storage-error.ts'
import { sha256 } from '../hash.ts'
import { toPosition } from '../json.ts'
import { InsertedEntry, insertEntries, type JsonEntry, listMissingEntries, removeEntries } from './json-merge.ts'
import { changeUserFile, type FileChange, type FileContent, readUserFile } from './locked-write.ts'
import { insertBlock, removeBlock, TextBlock } from './text-block.ts'

/** What dispatch adds to one file of the user: values to JSON, or a block of lines to any other text. */
export type Addition = JsonEntry[] | TextBlock

/** What dispatch changed in one file of the user, so that the change can be taken back byte for byte. */
const JournalEntry = z.object({
  file: z.string(),
  /** The original bytes as base64; null when there was no file. */
  before: z.string().nullable(),
  /** The sha256 of the bytes that dispatch wrote. */
  after: z.string(),
  added: z.array(InsertedEntry),
  /** The lines that were added to a file that is not JSON. */
  block: TextBlock.optional(),
  /** Did dispatch create the folder of the file? */
  createdFolder: z.boolean().default(false),
})
type JournalEntry = z.infer<typeof JournalEntry>

/** The file that records what dispatch changed in files of the user. */
export function resolveJournal(home: string): string {
  return path.join(home, 'installed.json')
}

/** The files that dispatch changed, in the order of their first change. */
export function listChangedFiles(journal: string): string[] {
  return readJournal(journal).map(({ file }) => file)
}

/** What `installEntries` would make of the file. Nothing is written. */
export function previewInstall(journal: string, file: string, addition: Addition): FileChange {
  const before = readUserFile(file)
  return { before, after: createInstall(findEntry(journal, file), file, addition)(before) }
}

/**
 * Add values or lines to a file of the user, and record the original in the journal. The journal is written before the
 * file and again after it, so that it covers the change even when this process is killed in between.
 */
export async function installEntries(journal: string, file: string, addition: Addition): Promise<FileChange> {
  const earlier = findEntry(journal, file)
  const install = createInstall(earlier, file, addition)
  const before = readUserFile(file)
  const after = install(before)
  if (after === before) return { before, after }
  const createdFolder = earlier?.createdFolder ?? !fs.existsSync(path.dirname(file))
  const record = (change: FileChange) =>
    writeEntry(journal, file, { ...buildEntry(change, file, addition, earlier), createdFolder })
  await record({ before, after })
  const change = await changeUserFile(file, install).catch(async error => {
    await writeEntry(journal, file, earlier)
    throw error
  })
  if (change.before !== change.after) await record(change)
  return change
}

/** What `uninstallEntries` would make of the file. Nothing is written. */
export function previewUninstall(journal: string, file: string): FileChange {
  const before = readUserFile(file)
  return { before, after: createUninstall(findEntry(journal, file))(before) }
}

/** Restore the original bytes of a file; when others have written it since, remove only what dispatch added. */
export async function uninstallEntries(journal: string, file: string): Promise<FileChange> {
  const entry = findEntry(journal, file)
  const change = await changeUserFile(file, createUninstall(entry))
  if (entry?.createdFolder) removeEmptyFolder(path.dirname(file))
  await writeEntry(journal, file, undefined)
  return change
}

// --- internal ---

type ContentChange = (content: FileContent) => FileContent

function createInstall(earlier: JournalEntry | undefined, file: string, addition: Addition): ContentChange {
  if (!Array.isArray(addition)) return content => changeText(content, file, text => insertBlock(text, addition))
  // Entries with a marker that are not among the new ones are outdated: they come from an install that has moved.
  const markers = addition.flatMap(({ marker }) => marker || [])
  const outdated = (earlier?.added ?? []).filter(
    ({ marker }) => markers.length > 0 && marker && !markers.includes(marker),
  )
  return content =>
    changeText(content, file, text => insertEntries(removeEntries(text, outdated, file), addition, file))
}

function createUninstall(entry: JournalEntry | undefined): ContentChange {
  return content => {
    if (entry === undefined || content === undefined) return content
    const { file, before, after, added, block } = entry
    if (sha256(content) === after) return before === null ? undefined : Buffer.from(before, 'base64')
    const changed = changeText(content, file, text =>
      block ? removeBlock(text, block) : removeEntries(text, added, file),
    )
    return changed?.length === 0 && before === null ? undefined : changed
  }
}

/** The changed content of a file; the very same buffer when the change leaves its text as it is. */
function changeText(content: FileContent, file: string, change: (text: string) => string): FileContent {
  const text = decodeUtf8(content, file)
  const changed = change(text)
  return changed === text ? content : Buffer.from(changed)
}

function buildEntry(
  { before, after }: FileChange,
  file: string,
  addition: Addition,
  earlier: JournalEntry | undefined,
): Omit<JournalEntry, 'createdFolder'> {
  const original = earlier && before ? createUninstall(earlier)(before) : before
  const bytes = { before: original?.toString('base64') ?? null, after: after === undefined ? '' : sha256(after) }
  if (!Array.isArray(addition)) return { file, ...bytes, added: [], block: addition }
  const added = listMissingEntries(decodeUtf8(original, file), addition, file)
  const isAddedAgain = (entry: InsertedEntry) =>
    added.some(
      ({ path, marker }) =>
        path.join('\n') === entry.path.join('\n') && (marker === undefined) === (entry.marker === undefined),
    )
  const kept = (earlier?.added ?? []).filter(entry => !isAddedAgain(entry))
  return { file, ...bytes, added: [...kept, ...added] }
}

/** A folder with files of others stays. */
function removeEmptyFolder(folder: string): void {
  try {
    fs.rmdirSync(folder)
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR')) throw toStorageError(folder, error)
  }
}

function findEntry(journal: string, file: string): JournalEntry | undefined {
  return readJournal(journal).find(entry => entry.file === file)
}

/** Replace what the journal records of a file, or remove it. A journal without entries is removed. */
function writeEntry(journal: string, file: string, entry: JournalEntry | undefined): Promise<FileChange> {
  const serialize = () => {
    const entries = [...readJournal(journal).filter(other => other.file !== file), ...(entry ? [entry] : [])]
    return entries.length === 0 ? undefined : Buffer.from(`${JSON.stringify(entries, null, 2)}\n`)
  }
  return changeUserFile(journal, serialize, { settleMs: 0 })
}

function readJournal(journal: string): JournalEntry[] {
  try {
    return z.array(JournalEntry).parse(JSON.parse(readUserFile(journal)?.toString() ?? '[]'))
  } catch {
    throw new DispatchError(`${journal} cannot be read, so dispatch does not know what it changed in your files`, {
      exitCode: exitCodes.integrity,
      remedy: 'Fix it, or remove it and look for "dispatch" in ~/.claude.json and ~/.claude/settings.json yourself.',
    })
  }
}

/** The text of a file. Exit 2 for bytes that are not UTF-8, because writing the text back would change them. */
function decodeUtf8(content: FileContent, file: string): string {
  const text = content?.toString('utf8') ?? ''
  if (content === undefined || Buffer.from(text).equals(content)) return text
  const { line, column } = toPosition(text, Math.max(0, text.indexOf('\ufffd')))
  throw new DispatchError(`${file}:${line}:${column}: these bytes are not UTF-8; the file was not changed`, {
    exitCode: exitCodes.usage,
    remedy: 'Save it as UTF-8, then run the command again.',
  })
}
