import fs from 'node:fs'
import path from 'node:path'
import { makePrivateFolder } from '#host/fs'
import type { SessionPaths } from '../paths.ts'

/** Name and address in the commits that are made there, and no cleaning up. */
const OWN_CONFIG = '[user]\n\tname = Claude Dispatch\n\temail = dispatch@localhost\n[gc]\n\tauto = 0\n'

/**
 * Make a `.git` without hooks, remotes and any configuration but that of the file system and `config`. It takes its objects
 * from the base. `head` is the content of HEAD, `shallow` are the commits without ancestors.
 */
export function createGitFolder(
  paths: SessionPaths,
  folder: string,
  {
    head,
    shallow = [],
    ignores = [],
    config = '',
  }: { head: string; shallow?: string[]; ignores?: string[]; config?: string },
): void {
  for (const name of ['refs', 'info', 'objects/info', 'objects/pack']) makePrivateFolder(path.join(folder, name))
  const write = (name: string, text: string) => fs.writeFileSync(path.join(folder, name), text)
  const own = fs.readFileSync(path.join(paths.bareRepository, 'config'), 'utf8').replace('bare = true', 'bare = false')
  write('HEAD', `${head}\n`)
  write('config', `${own}${OWN_CONFIG}${config}`)
  write('info/exclude', ignores.join('\n'))
  write('objects/info/alternates', `${path.relative(path.join(folder, 'objects'), paths.baseObjects)}\n`)
  if (shallow.length > 0) write('shallow', `${shallow.join('\n')}\n`)
}
