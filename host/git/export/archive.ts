import fs from 'node:fs'
import path from 'node:path'
import { MINUTE_MS } from '../../time.ts'
import { git, redirectObjects } from '../git.ts'

/**
 * Write the files of a commit, byte for byte as git has them, as a tar archive with one top folder. No attribute leaves one out or
 * changes one, and no filter runs. Throws where git fails, also where `end` ends it.
 */
export async function archiveFiles(checkout: string, commit: string, file: string, end: AbortSignal): Promise<void> {
  const [objects = '', format = ''] = (
    await git(['rev-parse', '--git-path', 'objects', '--show-object-format'], { cwd: checkout })
  ).split('\n')
  const repository = `${file}.git`
  try {
    await git(['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, repository])
    fs.mkdirSync(path.join(repository, 'info'), { recursive: true })
    fs.writeFileSync(path.join(repository, 'info/attributes'), NO_ATTRIBUTES) // These win over those of the commit.
    const env = redirectObjects(path.join(repository, 'objects'), path.resolve(checkout, objects))
    const args = ['archive', '--format=tar', '--prefix=files/', `--output=${file}`, commit]
    await git(['--git-dir', repository, ...args], { env, timeoutMs: ARCHIVE_TIMEOUT_MS, end })
  } finally {
    fs.rmSync(repository, { recursive: true, force: true })
  }
}

// --- internal ---

const ARCHIVE_TIMEOUT_MS = 10 * MINUTE_MS

const NO_ATTRIBUTES = '* -export-ignore -export-subst -filter -ident -text !working-tree-encoding\n'
