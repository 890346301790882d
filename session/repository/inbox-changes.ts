import type { SessionPaths } from '../paths.ts'
import { listBareGit } from './bare-git.ts'

/**
 * Paths in `.agent-queue/` that a commit of the work writes or removes, in whatever letters. Dispatch takes tasks from that folder
 * of the user's checkout, so no agent may bring any.
 */
export async function listInboxChanges(paths: SessionPaths, base: string, commit: string): Promise<string[]> {
  const options = ['--full-history', '--format=', '--name-only', '--no-renames', '-m', '-z']
  const names = await listBareGit(paths, ['log', ...options, commit, `^${base}`, '--', ':(top,icase).agent-queue'])
  return [...new Set(names.map(name => name.replace(/^\n+/, '')))].filter(name => name !== '').sort()
}
