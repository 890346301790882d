import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { DispatchError, exitCodes, isErrno } from '../error.ts'
import { toStorageError } from '../fs/files.ts'
import { InsertedEntry, insertEntries, type JsonEntry, listMissingEntries, removeEntries } from './json-merge.ts'
import { changeUserFile, type FileChange, type FileContent, readUserFile } from './locked-write.ts'
import { insertBlock, removeBlock, type TextBlock } from './text-block.ts'

export type { JsonEntry } from './json-merge.ts'

/** What dispatch adds to one file of the user: values to JSON, or a block of lines to any other text. */
export type Addition = JsonEntry[] | TextBlock

/** What we changed in one file of the user's, so that it can be taken back byte for byte. */
const JournalEntry = z.object({
  file: z.string(),
  /** The bytes before us in base64; null where there was no file. */
  before: z.string().nullable(),
  /** The sha256 of the bytes we wrote. */
  after: z.string(),
  added: z.array(InsertedEntry),
  /** The lines that were added to a file that is not JSON. */
  block: z.object({ name: z.string(), lines: z.array(z.string()) }).optional(),
  /** Did we make the folder it lies in? */
  folder: z.boolean().default(false),
})

type JournalEntry = z.infer<typeof JournalEntry>

/** Where it is written down what we changed. */
export const resolveJournal = (home: string) => path.join(home, 'installed.json')

/** The files we changed, in the order we came to them. */
export function listChangedFiles(journal: string): string[] {
  return readJournal(journal).map(({ file }) => file)
}

/** What `addTo` would make of the file, without doing it. */
export function previewInstall(journal: string, file: string, additions: Addition): FileChange {
  const before = readUserFile(file)
  return { before, after: createInstall(findEntry(journal, file), file, additions)(before) }
}

/**
 * Add our values to a file of the user's, and keep in the journal what it was. The journal is written first and again
 * afterwards: whatever ends us in between, it never says less than what was done.
 */
export async function installEntries(journal: string, file: string, additions: Addition): Promise<FileChange> {
  const known = findEntry(journal, file)
  const change = createInstall(known, file, additions)
  const before = readUserFile(file)
  const after = change(before)
  if (after === before) return { before, after }
  const folder = known?.folder ?? !fs.existsSync(path.dirname(file))
  await writeEntry(journal, buildEntry({ before, after }, { known, file, additions, folder }))
  const changed = await changeUserFile(file, change).catch(async error => {
    await (known ? writeEntry(journal, known) : removeEntry(journal, file))
    throw error
  })
  if (changed.before !== changed.after)
    await writeEntry(journal, buildEntry(changed, { known, file, additions, folder }))
  return changed
}

/** What `takeBack` would make of the file, without doing it. */
export function previewUninstall(journal: string, file: string): FileChange {
  const before = readUserFile(file)
  return { before, after: createUninstall(findEntry(journal, file))(before) }
}

/** Give the file back: its very bytes while nobody has written it since, else without our values and nothing else. */
export async function uninstallEntries(journal: string, file: string): Promise<FileChange> {
  const entry = findEntry(journal, file)
  const changed = await changeUserFile(file, createUninstall(entry))
  if (entry?.folder) removeEmpty(path.dirname(file))
  await removeEntry(journal, file)
  return changed
}

// --- internal ---

function createInstall(
  known: JournalEntry | undefined,
  file: string,
  additions: Addition,
): (content: FileContent) => FileContent {
  if (!Array.isArray(additions))
    return content => {
      const text = decodeUtf8(content, file)
      const grown = insertBlock(text, additions)
      return grown === text ? content : Buffer.from(grown)
    }
  const outdated = (known?.added ?? []).filter(({ marker }) => marker && !additions.some(one => one.marker === marker))
  return content => {
    const text = decodeUtf8(content, file)
    const current = removeEntries(text, additions.some(({ marker }) => marker) ? outdated : [], file)
    const grown = insertEntries(current, additions, file)
    return grown === text ? content : Buffer.from(grown)
  }
}

function createUninstall(entry: JournalEntry | undefined): (content: FileContent) => FileContent {
  return content => {
    if (entry === undefined || content === undefined) return content
    if (hashContent(content) === entry.after) return decodeBefore(entry)
    const text = decodeUtf8(content, entry.file)
    const shrunk = entry.block ? removeBlock(text, entry.block) : removeEntries(text, entry.added, entry.file)
    if (shrunk === '' && entry.before === null) return undefined
    return shrunk === text ? content : Buffer.from(shrunk)
  }
}

function buildEntry(
  { before, after }: FileChange,
  {
    known,
    file,
    additions,
    folder,
  }: { known: JournalEntry | undefined; file: string; additions: Addition; folder: boolean },
): JournalEntry {
  const original = known && before ? createUninstall(known)(before) : before
  const bytes = { before: original?.toString('base64') ?? null, after: after === undefined ? '' : hashContent(after) }
  if (!Array.isArray(additions)) return { file, ...bytes, added: [], block: additions, folder }
  const fresh = listMissingEntries(decodeUtf8(original, file), additions, file)
  const isFresh = (one: InsertedEntry) =>
    fresh.some(
      ({ path, marker }) =>
        path.join('\n') === one.path.join('\n') && (marker === undefined) === (one.marker === undefined),
    )
  return {
    file,
    ...bytes,
    added: [...(known?.added ?? []).filter(one => !isFresh(one)), ...fresh],
    folder,
  }
}

/** A folder that others have used since is theirs. */
function removeEmpty(folder: string): void {
  try {
    fs.rmdirSync(folder)
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR')) throw toStorageError(folder, error)
  }
}

function findEntry(journal: string, file: string): JournalEntry | undefined {
  return readJournal(journal).find(entry => entry.file === file)
}

const writeEntry = (journal: string, entry: JournalEntry) =>
  changeUserFile(journal, () => serializeJournal([...listOtherEntries(journal, entry.file), entry]), { settleMs: 0 })

const removeEntry = (journal: string, file: string) =>
  changeUserFile(journal, () => serializeJournal(listOtherEntries(journal, file)), { settleMs: 0 })

const listOtherEntries = (journal: string, file: string) => readJournal(journal).filter(entry => entry.file !== file)

function readJournal(journal: string): JournalEntry[] {
  try {
    return z.array(JournalEntry).parse(JSON.parse(readUserFile(journal)?.toString() ?? '[]'))
  } catch {
    throw new DispatchError(`${journal} does not read, so what was changed in files of yours is not known`, {
      exitCode: exitCodes.integrity,
      remedy: 'Mend it, or remove it and look for "dispatch" in ~/.claude.json and ~/.claude/settings.json yourself.',
    })
  }
}

const serializeJournal = (entries: JournalEntry[]): FileContent =>
  entries.length === 0 ? undefined : Buffer.from(`${JSON.stringify(entries, null, 2)}\n`)

const decodeBefore = ({ before }: JournalEntry): FileContent =>
  before === null ? undefined : Buffer.from(before, 'base64')

const hashContent = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')

/** Bytes that are no UTF-8 would not survive us, so they are not touched. */
function decodeUtf8(content: FileContent, file: string): string {
  const text = content?.toString('utf8') ?? ''
  if (content === undefined || Buffer.from(text).equals(content)) return text
  const before = text.slice(0, Math.max(0, text.indexOf('\ufffd'))).split('\n')
  throw new DispatchError(
    `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}: bytes that are no UTF-8; the file was left as it is`,
    { exitCode: exitCodes.usage, remedy: 'Save it as UTF-8, then run the command again.' },
  )
}
