import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { git, makePrivate, tryGit } from '../../host/index.ts'
import type { Paths } from '../paths.ts'
import { litter, type Trees } from '../trees.ts'
import { caps, isFolder, look } from './dossier.ts'

/**
 * A bare repository of our own that sees the objects of a session and nothing else of it: none of the configuration, hooks,
 * filters, references or alternates that somebody may have laid out there is ever read by git.
 */
export interface Lens extends Trees {
  /** For what git must write down. */
  scratch: string
}

/** How long git may take for one look, in milliseconds, and how many files of a folder are looked at. */
const patience = 120_000
const mostFiles = 200_000

/** Open one, or say why git is better not let near these files. */
export async function openLens({ trees, outputs }: Paths): Promise<Lens | string> {
  const strange = strangersIn(trees)[0]
  if (strange !== undefined) return `holds something that git must not touch: ${strange}`
  if (fs.existsSync(path.join(trees, 'objects/info/alternates')))
    return 'borrows its objects from elsewhere (alternates)'
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-audit-'))
  const own = path.join(scratch, 'trees.git')
  await git(['init', '--quiet', '--bare', own])
  for (const folder of ['info', 'objects/info']) makePrivate(path.join(own, folder))
  fs.symlinkSync(path.join(trees, 'objects'), path.join(scratch, 'objects'))
  fs.writeFileSync(path.join(own, 'objects/info/alternates'), `${path.join(scratch, 'objects')}\n`)
  for (const name of ['info/exclude', 'shallow']) {
    const { bytes } = look(path.join(trees, name), caps.record)
    if (bytes) fs.writeFileSync(path.join(own, name), bytes)
  }
  return { trees: own, outputs, scratch, borrows: true, deadline: patience }
}

export function closeLens({ scratch }: Lens): void {
  fs.rmSync(scratch, { recursive: true, force: true })
}

/** The tree of a commit, where the session still holds it. */
export async function treeIn({ trees }: Lens, commit: string): Promise<string | undefined> {
  const words = ['--git-dir', trees, 'rev-parse', '--verify', '--quiet', `${commit}^{tree}`]
  const ran = await tryGit(words, { deadline: patience })
  return ran.code === 0 ? ran.stdout.trim() : undefined
}

export async function hasObject({ trees }: Lens, object: string): Promise<boolean> {
  return (await tryGit(['--git-dir', trees, 'cat-file', '-e', object], { deadline: patience })).code === 0
}

/** What is wrong with the objects themselves. How well somebody's old commits are formed is no matter. */
export async function brokenObjects({ trees }: Lens, commits: string[]): Promise<string[]> {
  const words = ['--git-dir', trees, 'fsck', '--full', '--no-dangling', '--no-progress', ...commits]
  const ran = await tryGit(words, { deadline: patience })
  if (ran.timedOut) return []
  const lines = `${ran.stdout}\n${ran.stderr}`.split('\n').map(line => line.trim())
  return lines.filter(line => line !== '' && !/^(notice|warning|error in|dangling|unreachable|Checking)\b/.test(line))
}

/** What is staged in a copy of somebody's index that the commit does not have: `A`, `M` or `D`, the object and the path. */
export async function stagedIn({ trees, scratch }: Lens, index: Buffer, commit: string) {
  const copy = path.join(scratch, 'index')
  fs.writeFileSync(copy, index)
  const words = ['--git-dir', trees, 'diff-index', '--cached', '--raw', '--no-renames', '--no-abbrev', '-z', commit]
  const listed = await git(words, { env: { GIT_INDEX_FILE: copy }, deadline: patience })
  const fields = listed.split('\0')
  const found: { kind: string; object: string; path: string }[] = []
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, , , object = '', kind = ''] = fields[at]?.split(' ') ?? []
    found.push({ kind, object, path: fields[at + 1] ?? '' })
  }
  return found
}

/** Lines in the list of ignored files that hide more than a session hides: what builds leave, and named files of the project. */
export function hidingLines({ trees }: Paths): string[] {
  const { bytes } = look(path.join(trees, 'info/exclude'), caps.record)
  return (bytes?.toString('utf8') ?? '').split('\n').filter(line => !litter.includes(line) && !line.startsWith('/'))
}

/** Pipes, devices, sockets and links below a folder, at most so many; `only` names those that matter. */
export function strangersIn(folder: string, only = (_: string) => true, most = 5): string[] {
  if (!isFolder(folder)) return ['its folder is gone, or is none']
  const found: string[] = []
  const open = [folder]
  for (let seen = 0; open.length > 0 && found.length < most && seen < mostFiles; ) {
    const here = open.pop() ?? ''
    for (const entry of entriesIn(here)) {
      seen++
      const file = path.join(here, entry.name)
      if (entry.isDirectory()) open.push(file)
      else if (!entry.isFile() && only(file)) found.push(path.relative(folder, file))
    }
    if (seen >= mostFiles) found.push(`more than ${mostFiles} files`)
  }
  return found
}

function entriesIn(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true })
  } catch {
    return [] // Too deep, or not ours to see; git will say so where it matters.
  }
}
