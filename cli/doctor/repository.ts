import { DispatchError } from '#host/error.ts'
import { findRepository } from '#host/git'
import { readInstructions } from '#host/project'
import { type DoctorResult, warn } from './result.ts'

/** Settings for claude in the repository here that dispatch leaves out, because they could run programs. */
export async function checkRepository(ownFolders: string[]): Promise<DoctorResult[]> {
  try {
    const repository = await findRepository(undefined, ownFolders)
    const ignored = repository ? (await readInstructions(repository)).ignored : []
    if (ignored.length === 0) return []
    const fix = 'Nothing to do: they could run programs, so dispatch starts its agents without them'
    return [warn('ignored', `in ${repository?.path}: ${ignored.join(', ')}`, fix)]
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return [warn('here', error.message, error.remedy)]
  }
}
