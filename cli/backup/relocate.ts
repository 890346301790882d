import fs from 'node:fs'
import path from 'node:path'
import type { Listing } from './format.ts'

/**
 * Correct the paths in a session whose home is another one now, so that its agents can start again. Nothing of its record has such
 * a path. `folder` is where the session is being written, from `entries`; `from` is where it was, `to` where it will be. Only what is
 * listed is touched, and so no link is followed.
 */
export function relocateSession(folder: string, entries: Listing, from: string, to: string): void {
  for (const { kind, path: name } of entries)
    if (kind === 'file' && ofDispatch.test(name)) replaceInFile(path.join(folder, name), from, to)
  const projects = entries.filter(({ kind, path: name }) => kind === 'folder' && transcripts.test(name))
  for (const { path: name } of projects) renameTranscript(path.join(folder, name), from, to)
}

// --- internal ---

/** The files that name the home: of the session, and of each worker. */
const ofDispatch = new RegExp(
  '^(' +
    [
      'write-allowlist|launch\\.sh|agent-gitconfig|claude-settings\\.json|system-prompt\\.md|sandbox\\.json|stop-gate\\.json',
      'claude-config/(\\.claude|settings)\\.json',
      'windows/[^/]+',
      'workers/[^/]+/(write-allowlist|launch\\.sh|system-prompt\\.md|sandbox\\.json|sandbox-git\\.json|brief\\.md)',
    ].join('|') +
    ')$',
)
const transcripts = /^(workers\/[^/]+\/)?claude-config\/projects\/[^/]+$/

/** Only where the path ends: `…-abcd` is not the beginning of `…-abcde`. */
function replaceInFile(file: string, from: string, to: string): void {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!stats?.isFile()) return
  const text = fs.readFileSync(file, 'latin1')
  const [before, after] = [from, to].map(each => Buffer.from(each).toString('latin1'))
  if (before === undefined || after === undefined || !text.includes(before)) return
  const [first = '', ...others] = text.split(before)
  const moved = others.map(rest => (/^[\w-]/.test(rest) ? before : after) + rest)
  fs.chmodSync(file, 0o600)
  fs.writeFileSync(file, first + moved.join(''), 'latin1')
  fs.chmodSync(file, stats.mode & 0o777)
}

/** Claude finds a transcript by the folder in which it runs, with a hyphen for each other character than letters and digits. */
function renameTranscript(folder: string, from: string, to: string): void {
  const encode = (each: string) => each.replace(/[^a-zA-Z0-9]/g, '-')
  const name = path.basename(folder)
  if (name.startsWith(encode(from)))
    fs.renameSync(folder, path.join(path.dirname(folder), encode(to) + name.slice(encode(from).length)))
}
