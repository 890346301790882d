import { DispatchError, exitCodes } from '#host/error.ts'
import { git, tryGit } from '#host/git'
import { isAncestor, type Transport } from '#host/git/upstream'
import { sha256 } from '#host/hash.ts'
import { listFilteredFiles } from '#host/lfs'
import { isProjectConfirmed, parseProject, projectFileName } from '#host/project'
import { quoteForShell } from '#host/shell-quote.ts'
import { formatNames } from '#host/text.ts'
import type { WorkToApply } from '#session'
import {
  findMissingContent,
  findSecretMessage,
  findUnjudgedHistory,
  type LandingMethod,
  listLfsVersions,
} from '#session/landing'
import { type Commit, listChangedPaths } from '#session/repository'
import type { RunnerContext } from '../context.ts'
import { readSealedContract } from '../contract/seal.ts'

/** Exit 5 for work with files of Git LFS: a push would leave the branch with pointers that lead nowhere. */
export async function refuseLfs({ session }: RunnerContext, work: WorkToApply): Promise<void> {
  const versions = await listLfsVersions(session.paths, work)
  refuseFiltered(
    session.id,
    versions.flatMap(({ path: file, pointer }) => (pointer ? [file] : [])),
  )
}

/** Exit 5 where the attributes of the tree that would land give a changed file to a filter, which nothing has run. */
export async function refuseFilters(
  { session: { id, paths } }: RunnerContext,
  target: Commit,
  head: Commit,
): Promise<void> {
  const names = (await listChangedPaths(paths, target.commit, head.commit)).map(({ path: file }) => file)
  const filtered = names.length === 0 ? new Map() : await listFilteredFiles(paths.bareRepository, head.commit, names)
  refuseFiltered(id, [...filtered.keys()])
}

/**
 * Exit 5 where what would land has files of Git LFS or submodules that this machine lacks, because another person has changed them on the
 * branch: a gate or a check would be red for that.
 */
export async function refuseMissingContent(
  { session }: RunnerContext,
  { branch, checkout, transport }: { branch: string; checkout: string; transport: Pick<Transport, 'remote'> },
  base: string,
  head: Commit,
): Promise<void> {
  const found = await findMissingContent(session.paths, { base, commit: head.commit, checkout })
  const { lfsFiles, submodules } = found
  if (lfsFiles.length === 0 && submodules.length === 0) return
  const parts = [
    ...(lfsFiles.length > 0 ? [`the Git LFS content of ${formatNames(lfsFiles)}`] : []),
    ...(submodules.length > 0 ? [`the newer commit of the submodule ${formatNames(submodules)}`] : []),
  ]
  const inCheckout = `git -C ${quoteForShell(checkout)}`
  const update = `${inCheckout} submodule update --init --recursive`
  const steps = [
    ...(lfsFiles.length > 0 ? [`${inCheckout} lfs fetch ${transport.remote} ${branch}`] : []),
    ...(submodules.length > 0 ? [`pull ${branch} in ${checkout}, then: ${update}`] : []),
  ]
  throw new DispatchError(
    `${branch} has what is not on this machine, so nothing can be proved on it: ${parts.join(', ')}`,
    {
      exitCode: exitCodes.conflict,
      remedy: `Get it: ${steps.join('; ')}. Then land again.`,
    },
  )
}

/**
 * Exit 5 where a method publishes more than what was judged: earlier commits with files outside the scopes or with secrets, or, for a
 * merge, commits of the user that are not on the branch yet.
 */
export async function refuseUnjudged(
  context: RunnerContext,
  { method, secrets }: { method: LandingMethod; secrets: string[] },
  work: WorkToApply,
  target: Commit,
): Promise<void> {
  if (method === 'squash') return
  const { session } = context
  const refuse = (reason: string) => {
    throw new DispatchError(`session ${session.id} does not land by ${method}: ${reason}`, {
      exitCode: exitCodes.conflict,
      remedy: `As one commit it can land: dispatch land ${session.id.slice(-4)} --method squash`,
    })
  }
  if (method === 'merge' && !(await isAncestor(session.paths.bareRepository, work.base, target.commit)))
    refuse('it started from a commit that is not on the branch, which a merge would publish or undo')
  const unjudged = await findUnjudgedHistory(session.paths, readSealedContract(context), work, secrets)
  if (unjudged !== undefined) refuse(unjudged)
  // The other methods write each message again, without secrets.
  const said = method === 'merge' ? await findSecretMessage(session.paths, work, secrets) : undefined
  if (said !== undefined) refuse(said)
}

/**
 * The gates in the project file of the branch. Exit 2 for a file that cannot be read, 5 where no sandbox holds a command and the user has
 * not confirmed the file.
 */
export async function readGates(
  { session, config }: RunnerContext,
  { branch, checkout }: { branch: string; checkout: string },
  target: Commit,
): Promise<string[]> {
  const inRepository = ['--git-dir', session.paths.bareRepository]
  const entry = await git([...inRepository, 'ls-tree', target.commit, '--', projectFileName])
  if (entry === '') return []
  const file = `${projectFileName} of ${branch}`
  if (!/^100(644|755) blob /.test(entry))
    throw new DispatchError(`${file} is not a regular file, so its gates are not known`, {
      exitCode: exitCodes.usage,
      remedy: 'Make it a file, or remove it from the branch.',
    })
  const { stdout: text, exitCode } = await tryGit([
    ...inRepository,
    'cat-file',
    'blob',
    `${target.commit}:${projectFileName}`,
  ])
  if (exitCode !== 0) throw new Error(`git cannot read ${file}`)
  const { gates } = parseProject(file, text)
  const isHeld = session.manifest.sandbox.kind !== null
  if (gates.length === 0 || isHeld || isProjectConfirmed(config.home, checkout, sha256(text))) return gates
  throw new DispatchError(`you have not confirmed the gates in ${file}, and there is no sandbox`, {
    exitCode: exitCodes.conflict,
    remedy: 'Pull the branch, read the file, then: dispatch prepare',
  })
}

// --- internal ---

function refuseFiltered(id: string, files: string[]): void {
  if (files.length === 0) return
  throw new DispatchError(
    `a filter such as Git LFS is meant for files of the work, and dispatch neither runs one nor uploads: ${formatNames(files)}`,
    {
      exitCode: exitCodes.conflict,
      remedy: `Push it yourself: dispatch apply ${id.slice(-4)}, then git push`,
    },
  )
}
