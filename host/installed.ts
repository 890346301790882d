import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { Added, type Addition, missingFrom, withAdditions, withoutAdditions } from './additions.ts'
import { DispatchError, exits, isErrno } from './error.ts'
import { storageError } from './files.ts'
import { type Changed, type Content, changeUserFile, readUserFile } from './user-file.ts'

export type { Addition } from './additions.ts'

/** What we changed in one file of the user's, so that it can be taken back byte for byte. */
const Entry = z.object({
  file: z.string(),
  /** The bytes before us in base64; null where there was no file. */
  before: z.string().nullable(),
  /** The sha256 of the bytes we wrote. */
  after: z.string(),
  added: z.array(Added),
  /** Did we make the folder it lies in? */
  folder: z.boolean().default(false),
})

type Entry = z.infer<typeof Entry>

/** Where it is written down what we changed. */
export const journalOf = (home: string) => path.join(home, 'installed.json')

/** The files we changed, in the order we came to them. */
export function changedFiles(journal: string): string[] {
  return readJournal(journal).map(({ file }) => file)
}

/** What `addTo` would make of the file, without doing it. */
export function addedTo(journal: string, file: string, additions: Addition[]): Changed {
  const before = readUserFile(file)
  return { before, after: adding(entryFor(journal, file), file, additions)(before) }
}

/**
 * Add our values to a file of the user's, and keep in the journal what it was. The journal is written first and again
 * afterwards: whatever ends us in between, it never says less than what was done.
 */
export async function addTo(journal: string, file: string, additions: Addition[]): Promise<Changed> {
  const known = entryFor(journal, file)
  const change = adding(known, file, additions)
  const before = readUserFile(file)
  const after = change(before)
  if (after === before) return { before, after }
  const folder = known?.folder ?? !fs.existsSync(path.dirname(file))
  await note(journal, entryOf({ before, after }, { known, file, additions, folder }))
  const changed = await changeUserFile(file, change).catch(async error => {
    await (known ? note(journal, known) : forget(journal, file))
    throw error
  })
  if (changed.before !== changed.after) await note(journal, entryOf(changed, { known, file, additions, folder }))
  return changed
}

/** What `takeBack` would make of the file, without doing it. */
export function takenBack(journal: string, file: string): Changed {
  const before = readUserFile(file)
  return { before, after: removing(entryFor(journal, file))(before) }
}

/** Give the file back: its very bytes while nobody has written it since, else without our values and nothing else. */
export async function takeBack(journal: string, file: string): Promise<Changed> {
  const entry = entryFor(journal, file)
  const changed = await changeUserFile(file, removing(entry))
  if (entry?.folder) removeEmpty(path.dirname(file))
  await forget(journal, file)
  return changed
}

// --- internal ---

function adding(known: Entry | undefined, file: string, additions: Addition[]): (content: Content) => Content {
  const outdated = (known?.added ?? []).filter(({ mark }) => mark && !additions.some(one => one.mark === mark))
  return content => {
    const text = textOf(content, file)
    const current = withoutAdditions(text, additions.some(({ mark }) => mark) ? outdated : [], file)
    const grown = withAdditions(current, additions, file)
    return grown === text ? content : Buffer.from(grown)
  }
}

function removing(entry: Entry | undefined): (content: Content) => Content {
  return content => {
    if (entry === undefined || content === undefined) return content
    if (hashOf(content) === entry.after) return bytesOf(entry)
    const text = textOf(content, entry.file)
    const shrunk = withoutAdditions(text, entry.added, entry.file)
    return shrunk === text ? content : Buffer.from(shrunk)
  }
}

function entryOf(
  { before, after }: Changed,
  {
    known,
    file,
    additions,
    folder,
  }: { known: Entry | undefined; file: string; additions: Addition[]; folder: boolean },
): Entry {
  const original = known && before ? removing(known)(before) : before
  const fresh = missingFrom(textOf(original, file), additions, file)
  const isFresh = (one: Added) =>
    fresh.some(
      ({ path, mark }) => path.join('\n') === one.path.join('\n') && (mark === undefined) === (one.mark === undefined),
    )
  return {
    file,
    before: original?.toString('base64') ?? null,
    after: after === undefined ? '' : hashOf(after),
    added: [...(known?.added ?? []).filter(one => !isFresh(one)), ...fresh],
    folder,
  }
}

/** A folder that others have used since is theirs. */
function removeEmpty(folder: string): void {
  try {
    fs.rmdirSync(folder)
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR')) throw storageError(folder, error)
  }
}

function entryFor(journal: string, file: string): Entry | undefined {
  return readJournal(journal).find(entry => entry.file === file)
}

const note = (journal: string, entry: Entry) =>
  changeUserFile(journal, () => written([...others(journal, entry.file), entry]), { pause: 0 })

const forget = (journal: string, file: string) =>
  changeUserFile(journal, () => written(others(journal, file)), { pause: 0 })

const others = (journal: string, file: string) => readJournal(journal).filter(entry => entry.file !== file)

function readJournal(journal: string): Entry[] {
  try {
    return z.array(Entry).parse(JSON.parse(readUserFile(journal)?.toString() ?? '[]'))
  } catch {
    throw new DispatchError(`${journal} does not read, so what was changed in files of yours is not known`, {
      exit: exits.integrity,
      remedy: 'Mend it, or remove it and look for "dispatch" in ~/.claude.json and ~/.claude/settings.json yourself.',
    })
  }
}

const written = (entries: Entry[]): Content =>
  entries.length === 0 ? undefined : Buffer.from(`${JSON.stringify(entries, null, 2)}\n`)

const bytesOf = ({ before }: Entry): Content => (before === null ? undefined : Buffer.from(before, 'base64'))

const hashOf = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')

/** Bytes that are no UTF-8 would not survive us, so they are not touched. */
function textOf(content: Content, file: string): string {
  const text = content?.toString('utf8') ?? ''
  if (content === undefined || Buffer.from(text).equals(content)) return text
  const before = text.slice(0, Math.max(0, text.indexOf('\ufffd'))).split('\n')
  throw new DispatchError(
    `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}: bytes that are no UTF-8; the file was left as it is`,
    { exit: exits.usage, remedy: 'Save it as UTF-8, then run the command again.' },
  )
}
