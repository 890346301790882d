import type { SessionPaths } from '../paths.ts'
import { listMissingLfsFiles } from '../repository/lfs.ts'
import { importSubmodules, listMissingSubmodules } from '../repository/submodules.ts'

/** What a commit has that is not on this machine: files of Git LFS, and submodules. */
interface MissingContent {
  lfsFiles: string[]
  submodules: string[]
}

/**
 * What a commit of the branch needs that this machine lacks, and that the base did not lack: a check would blame the work for it. What
 * the base lacked too, the agents have done without. Submodules that the user has fetched meanwhile are brought in.
 */
export async function findMissingContent(
  paths: SessionPaths,
  { base, commit, checkout }: { base: string; commit: string; checkout: string },
): Promise<MissingContent> {
  const lackedFiles = new Set((await listMissingLfsFiles(paths, base)).map(([, { oid }]) => oid))
  const lfsFiles = (await listMissingLfsFiles(paths, commit)).filter(([, { oid }]) => !lackedFiles.has(oid))
  const listModules = async () => {
    const lacked = new Set((await listMissingSubmodules(paths, base)).map(each => each.commit))
    return (await listMissingSubmodules(paths, commit)).filter(each => !lacked.has(each.commit))
  }
  let submodules = await listModules()
  if (submodules.length > 0) {
    await importSubmodules(paths, checkout, commit)
    submodules = await listModules()
  }
  return { lfsFiles: lfsFiles.map(([file]) => file), submodules: submodules.map(({ path }) => path) }
}
