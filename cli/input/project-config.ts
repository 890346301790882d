import path from 'node:path'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { writeAtomic } from '#host/fs'
import type { UserRepository } from '#host/git'
import {
  confirmProject,
  isProjectConfirmed,
  type Project,
  type ProjectFile,
  projectFileName,
  proposeProject,
  readProject,
} from '#host/project'
import { formatCount } from '#host/text.ts'
import type { SessionManifest } from '#session'
import { printProjectFile } from '../output/project-view.ts'
import { confirmAction, isAtTerminal } from './confirm.ts'
import { checkProjectFiles, listProjectWarnings } from './project-check.ts'

/** The question before dispatch runs the commands of a project file. */
export const CONFIRM_QUESTION = 'Use exactly this file?'

/**
 * The project file of this repository, once its user has confirmed it; each change of its content must be confirmed again.
 * Null without a file. Exit 5 where it is not confirmed and there is no terminal to ask at.
 */
export async function resolveProject(
  config: Config,
  repository: UserRepository | null,
  { sandbox, say }: { sandbox: SessionManifest['sandbox']; say: (line: string) => void },
): Promise<Project | null> {
  if (repository === null) return null
  const file = readProject(repository.path)
  if (file === undefined) {
    const proposal = await proposeProject(repository)
    if (proposal)
      say(
        `there is no ${projectFileName}, so checks run without dependencies; \`dispatch prepare\` proposes ${formatCount(proposal.reasons.length, 'line')}`,
      )
    return null
  }
  await checkProjectFiles(file, repository)
  for (const line of await listProjectWarnings(file, repository)) say(line)
  if (isProjectConfirmed(config.home, repository.path, file.sha256)) return file.project
  if (!isAtTerminal())
    throw new DispatchError(`${file.file} is new or has changed, and you have not confirmed it`, {
      exitCode: exitCodes.conflict,
      remedy: 'It lists commands to run. Review and confirm it: dispatch prepare',
    })
  printProjectFile(file, sandbox)
  if (!(await confirmAction(CONFIRM_QUESTION, 'prepare')))
    throw new DispatchError('not confirmed, so nothing was started', {
      exitCode: exitCodes.conflict,
      remedy: `Change ${file.file}, or start with an empty repository: --no-repo`,
    })
  confirmProject(config.home, repository.path, file.sha256)
  return file.project
}

/** Write a proposed file into the user's checkout. The caller has asked. */
export function writeProjectFile(repository: UserRepository, project: Partial<Project>): ProjectFile {
  writeAtomic(path.join(repository.path, projectFileName), `${JSON.stringify(project, null, 2)}\n`, 0o644)
  const file = readProject(repository.path)
  if (!file) throw new Error('the file that was just written is missing')
  return file
}
