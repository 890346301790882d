import type { Config } from '#host/config'
import type { UserRepository } from '#host/git'
import {
  confirmProject,
  isProjectConfirmed,
  Project,
  type ProjectFile,
  projectFileName,
  proposeProject,
  readProject,
} from '#host/project'
import type { SessionManifest } from '#session'
import { printProjectFile } from '../output/project-view.ts'
import { paint, print } from '../output/terminal.ts'
import { checkProjectFiles, listProjectWarnings } from './project-check.ts'
import { CONFIRM_QUESTION, writeProjectFile } from './project-config.ts'

interface PrepareContext {
  config: Config
  repository: UserRepository
  sandbox: SessionManifest['sandbox']
  /** Resolves to true for yes. */
  ask(question: string): Promise<boolean>
}

/** Have the user confirm the project file of a repository, or a proposed one. Returns what came of it, for the user. */
export async function prepareProject(context: PrepareContext): Promise<string> {
  const file = readProject(context.repository.path)
  return file ? confirmFile(file, context) : proposeFile(context)
}

// --- internal ---

const NOTHING_CHANGED = 'Nothing was changed.'

async function confirmFile(file: ProjectFile, { config, repository, sandbox, ask }: PrepareContext): Promise<string> {
  await checkProjectFiles(file, repository)
  const warnings = await listProjectWarnings(file, repository)
  printProjectFile(file, sandbox)
  for (const warning of warnings) print(paint('yellow', `  ${warning}`))
  if (isProjectConfirmed(config.home, repository.path, file.sha256))
    return '\nYou have confirmed exactly this file. Nothing to do.'
  if (!(await ask(CONFIRM_QUESTION))) return NOTHING_CHANGED
  confirmProject(config.home, repository.path, file.sha256)
  return 'Confirmed. You will be asked again when it changes.'
}

async function proposeFile({ config, repository, sandbox, ask }: PrepareContext): Promise<string> {
  const proposal = await proposeProject(repository)
  if (!proposal) return describeEmptyProposal(repository)
  print(`Proposed for ${repository.path}:\n`)
  for (const line of proposal.reasons) print(`  ${line}`)
  print()
  const file = `${repository.path}/${projectFileName} (new)`
  printProjectFile({ file, project: Project.parse(proposal.project) }, sandbox)
  if (!(await ask('Write this file, and run these commands when work begins?'))) return NOTHING_CHANGED
  const written = writeProjectFile(repository, proposal.project)
  confirmProject(config.home, repository.path, written.sha256)
  return `Written: ${written.file}. Commit it to share it.`
}

function describeEmptyProposal({ path }: UserRepository): string {
  return `No known lock file in ${path}, so there is nothing to propose. If the project needs a setup, write ${projectFileName}:

  { "setup": ["make deps"], "lockfiles": ["deps.lock"], "files": [".env.test"] }
`
}
