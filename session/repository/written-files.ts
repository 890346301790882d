import type { SessionPaths } from '../paths.ts'
import { listBareGit } from './bare-git.ts'

/** A version of a file, and the commit that wrote it. */
export interface WrittenFile {
  commit: string
  path: string
  blob: string
}

/** Every version of a file that a commit of the work wrote: `apply` brings the earlier ones too. The last commit comes first. */
export async function listWrittenFiles(paths: SessionPaths, base: string, commit: string): Promise<WrittenFile[]> {
  const options = ['--format=%H', '--raw', '--no-abbrev', '--no-renames', '--diff-filter=d', '-m', '-z']
  const fields = await listBareGit(paths, ['log', ...options, commit, `^${base}`])
  const written: WrittenFile[] = []
  let current = ''
  for (let index = 0; index < fields.length; index++) {
    const [, blob] = /^\n?:\d{6} \d{6} [0-9a-f]{40} ([0-9a-f]{40}) [A-Z]$/.exec(fields[index] ?? '') ?? []
    if (blob === undefined) current = fields[index] ?? ''
    else written.push({ commit: current, path: fields[++index] ?? '', blob })
  }
  return written
}
