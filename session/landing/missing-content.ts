import type { SessionPaths } from '../paths.ts'
import { listMissingLfsFiles } from '../repository/lfs.ts'
import { importSubmodules, listMissingSubmodules } from '../repository/submodules.ts'

/** What a commit has that is not on this machine: files of Git LFS, and submodules. */
export interface MissingContent {
  lfsFiles: string[]
  submodules: string[]
}

/**
 * What a commit of the branch needs, and this machine has not, although the base needed nothing of it: a check would blame the work for
 * it. What the base lacked as well, the agents have done without. Submodules that the user has fetched meanwhile are brought in.
 */
export async function findMissingContent(
  paths: SessionPaths,
  { base, commit, checkout }: { base: string; commit: string; checkout: string },
): Promise<MissingContent> {
  const [pointers, before] = [await listMissingLfsFiles(paths, commit), await listMissingLfsFiles(paths, base)]
  const knownContents = new Set(before.map(([, { oid }]) => oid))
  const listModules = async () => {
    const known = new Set((await listMissingSubmodules(paths, base)).map(each => each.commit))
    return (await listMissingSubmodules(paths, commit)).filter(each => !known.has(each.commit))
  }
  if ((await listModules()).length > 0) await importSubmodules(paths, checkout, commit)
  return {
    lfsFiles: pointers.filter(([, { oid }]) => !knownContents.has(oid)).map(([file]) => file),
    submodules: (await listModules()).map(({ path }) => path),
  }
}
