import { DispatchError, exitCodes } from '#host/error.ts'
import type { SessionPaths } from '../paths.ts'
import { explainAudit, listBareGit, runBareGit, type SessionRepository } from './bare-git.ts'

/** Write the files of a commit into an empty folder, without any trace of git, and git's index of the folder. */
export async function checkOutFiles(paths: SessionPaths, commit: string, folder: string, index: string): Promise<void> {
  const env = { GIT_INDEX_FILE: index }
  await runBareGit(paths, ['read-tree', commit], { env })
  await runBareGit(paths, ['--work-tree', folder, 'checkout-index', '--force', '--index', '--all'], { env })
}

/** A file of a commit. */
export interface CommitFile {
  path: string
  /** `100644`, `100755`, `120000` for a link, `160000` for a submodule. */
  mode: string
  sizeBytes: number
  /** The hash of its content. */
  blob: string
}

/** List every file of a commit. */
export async function listCommitFiles(repository: SessionRepository, commit: string): Promise<CommitFile[]> {
  const entries = await listBareGit(repository, ['ls-tree', '-r', '-l', '-z', commit])
  return entries.map(entry => {
    const nameStart = entry.indexOf('\t') + 1 // A name may have tabs too.
    const [mode = '', , blob = '', bytes] = entry.slice(0, nameStart).split(/\s+/)
    return { path: entry.slice(nameStart), mode, sizeBytes: Number(bytes) || 0, blob }
  })
}

/** The content of files, in their order and as git has it. Git is asked for several at a time. */
export async function* readCommitFiles<File extends Pick<CommitFile, 'blob' | 'sizeBytes'>>(
  repository: SessionRepository,
  files: File[],
): AsyncGenerator<[File, Buffer]> {
  for (const batch of splitBySize(files)) {
    const input = batch.map(({ blob }) => `${blob}\n`).join('')
    const output = await runBareGit(repository, ['cat-file', '--batch', '--buffer'], { input, encoding: 'latin1' })
    let position = 0
    for (const file of batch) {
      const header = `${file.blob} blob ${file.sizeBytes}\n`
      if (!output.startsWith(header, position))
        throw new DispatchError(`${repository.bareRepository} lacks ${file.blob}, or it has another size`, {
          exitCode: exitCodes.integrity,
          remedy: explainAudit(repository),
        })
      const start = position + header.length
      position = start + file.sizeBytes + 1
      yield [file, Buffer.from(output.slice(start, start + file.sizeBytes), 'latin1')]
    }
  }
}

/** List the nested repositories of a commit. Its tree has only the hash of each one's commit, and none of its files. */
export async function listNestedRepositories(paths: SessionPaths, commit: string): Promise<string[]> {
  const entries = await listBareGit(paths, ['ls-tree', '-r', '-z', commit])
  return entries
    .filter(entry => entry.startsWith(`${NESTED_REPOSITORY_MODE} `))
    .map(entry => entry.slice(entry.indexOf('\t') + 1))
}

// --- internal ---

const NESTED_REPOSITORY_MODE = '160000'

/** What git is asked for at a time, in all. A larger file is asked for alone. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024

function* splitBySize<File extends { sizeBytes: number }>(files: File[]): Generator<File[]> {
  let batch: File[] = []
  let bytes = 0
  for (const file of files) {
    if (batch.length > 0 && bytes + file.sizeBytes > MAX_BATCH_BYTES) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(file)
    bytes += file.sizeBytes
  }
  if (batch.length > 0) yield batch
}
