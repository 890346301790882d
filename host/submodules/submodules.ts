import fs from 'node:fs'
import path from 'node:path'
import { buildFolderArguments, git, listWithGit, type RepositoryCommit, redirectObjects, tryGit } from '../git/git.ts'

/** A submodule of a commit, also one inside of another. */
export interface Submodule {
  /** From the top of the work tree. */
  path: string
  /** In the `.gitmodules` beside it; empty without one. */
  name: string
  commit: string
  /** Which changes in its folder `.gitmodules` says to ignore: new files, or all. */
  ignored: 'nothing' | 'new files' | 'everything'
}

/** A submodule, and the local repository that has its commit; undefined if none has. */
export interface LocalSubmodule extends Submodule {
  gitFolder: string | undefined
}

/**
 * The submodules of a commit of the user's repository, and where their objects are on this machine: in `.git/modules`, or in
 * a `.git` inside of the submodule, as older versions of git made it. No URL is followed, and no path or link that leads out.
 * `source` is a repository that has the commit, if the user's may not have it.
 */
export async function findSubmodules(
  { path: top, commit }: RepositoryCommit,
  source?: string,
): Promise<LocalSubmodule[]> {
  const args = ['rev-parse', '--path-format=absolute', '--git-dir', '--git-common-dir']
  const gitFolders = [...new Set((await git(args, { cwd: top })).split('\n'))]
  return findBelow(top, gitFolders, { path: '', commit, source: source ?? gitFolders[0] ?? '' }, 0)
}

/** The submodules in one commit, without those inside of them. `gitFolder` is the repository that has the commit. */
export async function listSubmodules(gitFolder: string, commit: string): Promise<Submodule[]> {
  const inRepository = buildFolderArguments(gitFolder)
  const entries = await listWithGit([...inRepository, 'ls-tree', '-r', '-z', commit])
  const links = entries.filter(entry => entry.startsWith('160000 '))
  if (links.length === 0) return []
  const args = ['config', '--no-includes', '--blob', `${commit}:.gitmodules`, '-z', '--get-regexp']
  const settings = await tryGit([...inRepository, ...args, '^submodule\\..*\\.(path|ignore)$'])
  const parsed = settings.stdout.split('\0').map(parseSetting)
  const names = new Map(parsed.flatMap(({ name, key, value }) => (key === 'path' ? [[value, name]] : [])))
  const ignored = new Map(parsed.flatMap(({ name, key, value }) => (key === 'ignore' ? [[name, value]] : [])))
  return links.map(entry => {
    const file = entry.slice(entry.indexOf('\t') + 1)
    const name = names.get(file) ?? ''
    const commit = entry.split(/[ \t]/)[2] ?? ''
    return { path: file, name, commit, ignored: ignoredChanges[ignored.get(name) ?? ''] ?? 'nothing' }
  })
}

/** Write a pack with the files of a commit and the commit itself, without its history. Returns whether all of it is there. */
export async function packCommit(gitFolder: string, commit: string, packFolder: string): Promise<boolean> {
  const inRepository = buildFolderArguments(gitFolder)
  const listing = await tryGit([...inRepository, 'rev-list', '--objects', '--no-walk', commit], {
    maxOutputBytes: MAX_LISTING_BYTES,
  })
  if (listing.exitCode !== 0) return false
  const hashes = listing.stdout.replace(/^(\S+).*$/gm, '$1')
  const pack = ['pack-objects', '--quiet', path.join(packFolder, 'pack')]
  const objects = (await tryGit([...inRepository, 'rev-parse', '--git-path', 'objects'])).stdout.trimEnd()
  const env = redirectObjects(path.dirname(packFolder), path.resolve(objects))
  return (await tryGit([...inRepository, ...pack], { input: hashes, env })).exitCode === 0
}

/** May this name of a submodule be a path below `.git/modules`? Others were used to leave it, or to become an option. Pure. */
export function isModuleName(name: string): boolean {
  const isStep = (step: string) => step !== '' && step !== '.' && step !== '..' && !/^\.git$/i.test(step)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: such a name is a trap
  return name.length <= MAX_NAME_CHARS && !/^-|[\\\x00-\x1f]/.test(name) && name.split('/').every(isStep)
}

// --- internal ---

const MAX_DEPTH = 8
const MAX_NAME_CHARS = 255
const MAX_LISTING_BYTES = 256 * 1024 * 1024

async function findBelow(
  top: string,
  gitFolders: string[],
  { path: parentPath, commit, source }: Pick<Submodule, 'path' | 'commit'> & { source: string },
  depth: number,
): Promise<LocalSubmodule[]> {
  const found: LocalSubmodule[] = []
  for (const { path: file, ...module } of await listSubmodules(source, commit)) {
    const submodule = { ...module, path: path.posix.join(parentPath, file) }
    const candidates = [
      ...(isModuleName(module.name) ? gitFolders.map(folder => [folder, `modules/${module.name}`] as const) : []),
      [top, `${submodule.path}/.git`] as const,
    ]
    const gitFolder = await findWithCommit(candidates, module.commit)
    found.push({ ...submodule, gitFolder })
    if (gitFolder !== undefined && depth < MAX_DEPTH)
      found.push(...(await findBelow(top, [gitFolder], { ...submodule, source: gitFolder }, depth + 1)))
  }
  return found
}

/** The first of these folders that is inside of its root, and has the commit. */
async function findWithCommit(
  candidates: (readonly [root: string, name: string])[],
  commit: string,
): Promise<string | undefined> {
  for (const [root, name] of candidates) {
    const folder = path.join(root, name)
    if (!fs.lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) continue
    if (fs.realpathSync(folder) !== path.join(fs.realpathSync(root), name)) continue
    const found = await tryGit([...buildFolderArguments(folder), 'cat-file', '-e', `${commit}^{tree}`])
    if (found.exitCode === 0) return folder
  }
  return undefined
}

const ignoredChanges: Record<string, Submodule['ignored']> = {
  untracked: 'new files',
  dirty: 'everything',
  all: 'everything',
}

/** `submodule.<name>.path`, a line end, and the path; or the same with `ignore`. */
function parseSetting(setting: string): { name: string; key: string; value: string } {
  const [variable = '', value = ''] = setting.split('\n')
  const [, name = '', key = ''] = /^submodule\.(.*)\.(\w+)$/.exec(variable) ?? []
  return { name, key, value }
}
