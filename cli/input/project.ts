import path from 'node:path'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { writeAtomic } from '#host/fs'
import { findRepository, type UserRepository } from '#host/git'
import {
  type CredentialFile,
  confirmProject,
  isProjectConfirmed,
  listDeeperProjects,
  Project,
  type ProjectProposal,
  projectFileName,
  proposeProject,
  readProject,
} from '#host/project'
import { quoteForShell } from '#host/shell-quote.ts'
import { formatCount, formatNames, sanitize } from '#host/text.ts'
import { addNamedToolchains, findToolchains } from '#host/toolchains'
import type { SessionManifest } from '#session'
import { UsageError } from '../command.ts'
import { printProjectFile } from '../output/project-view.ts'
import { paint, print } from '../output/terminal.ts'
import { confirmAction, isAtTerminal } from './confirm.ts'
import {
  checkProjectFiles,
  listComposeWarnings,
  listProjectWarnings,
  listUnreadProjectFiles,
  listUnusedCredentials,
} from './project-check.ts'

/** The user's checkout: the folder that is named, or the current one. Exit 2 for anything else. */
export async function requireRepository(config: Config, folder: string | undefined): Promise<UserRepository> {
  const repository = await findRepository(folder, [config.cloneFolder, config.home])
  if (!repository)
    throw new UsageError('this folder is not in a git repository', 'Go to one, or name it: dispatch prepare --repo DIR')
  if (`${repository.path}/`.startsWith(`${config.home}/`))
    throw new UsageError(
      `${repository.path} is in DISPATCH_HOME, where agents write`,
      'Name your own checkout: dispatch prepare --repo DIR',
    )
  return repository
}

/** The project file, once its user has confirmed this content; null without one. Exit 5 without a terminal to ask at. */
export async function resolveProject(
  config: Config,
  repository: UserRepository | null,
  {
    sandbox,
    say,
    mayAsk = isAtTerminal(),
  }: { sandbox: SessionManifest['sandbox']; say: (line: string) => void; mayAsk?: boolean },
): Promise<Project | null> {
  if (repository === null) return null
  for (const line of listUnreadProjectFiles(repository)) say(line)
  const file = readProject(repository.path)
  if (!file?.project.services.length) for (const line of await listComposeWarnings(repository)) say(line)
  if (file === undefined) {
    const proposal = await proposeProject(repository)
    if (proposal)
      say(
        `there is no ${projectFileName}, so checks run without dependencies; \`dispatch prepare\` proposes ${formatCount(proposal.reasons.length, 'line')}`,
      )
    else for (const line of await describeDeeperProjects(repository)) say(line)
    return null
  }
  await checkProjectFiles(file, repository)
  for (const line of await listProjectWarnings(file, repository)) say(line)
  if (isProjectConfirmed(config.home, repository.path, file.sha256)) return file.project
  if (!mayAsk)
    throw new DispatchError(`${file.file} is new or has changed, and you have not confirmed it`, {
      exitCode: exitCodes.conflict,
      remedy: `It lists commands to run. Review and confirm it: dispatch prepare --repo ${quoteForShell(repository.path)}`,
    })
  printProjectFile(file, sandbox, await findProjectToolchains(config, repository, file.project))
  if (!(await confirmAction(CONFIRM_QUESTION, 'prepare')))
    throw new DispatchError('not confirmed, so nothing was started', {
      exitCode: exitCodes.conflict,
      remedy: `Change ${file.file}, or start without what it installs: --no-setup`,
    })
  confirmProject(config.home, repository.path, file.sha256)
  return file.project
}

interface PrepareContext {
  config: Config
  repository: UserRepository
  sandbox: SessionManifest['sandbox']
  /** Resolves to true for yes. */
  ask(question: string): Promise<boolean>
}

/** Have the user confirm the project file of a repository, or a proposed one. Returns what came of it, for the user. */
export async function prepareProject(context: PrepareContext): Promise<string> {
  const { config, repository, sandbox, ask } = context
  for (const line of listUnreadProjectFiles(repository)) print(paint('yellow', `  ${line}`))
  const file = readProject(repository.path)
  if (!file) return proposeFile(context)
  await checkProjectFiles(file, repository)
  const warnings = [
    ...(await listProjectWarnings(file, repository)),
    ...listUnusedCredentials(file),
    ...(file.project.setup.length > 0 ? await describeUncoveredProjects(repository, file.project) : []),
    ...(file.project.services.length > 0 ? [] : await listComposeWarnings(repository)),
  ]
  printProjectFile(file, sandbox, await findProjectToolchains(config, repository, file.project))
  for (const warning of warnings) print(paint('yellow', `  ${warning}`))
  if (isProjectConfirmed(config.home, repository.path, file.sha256))
    return '\nYou have confirmed exactly this file. Nothing to do.'
  if (!(await ask(CONFIRM_QUESTION))) return NOTHING_CHANGED
  confirmProject(config.home, repository.path, file.sha256)
  return 'Confirmed. You will be asked again when it changes.'
}

// --- internal ---

const CONFIRM_QUESTION = 'Use exactly this file?'
const MAX_DEEPER_COUNT = 3
const NOTHING_CHANGED = 'Nothing was changed.'

async function proposeFile({ config, repository, sandbox, ask }: PrepareContext): Promise<string> {
  const proposal = await proposeProject(repository)
  for (const line of await listComposeWarnings(repository)) print(paint('yellow', line))
  if (!proposal) {
    const deeper = await describeDeeperProjects(repository)
    return `No known lock file at the top of ${repository.path} or one folder below, so there is nothing to propose.${deeper.map(line => ` But ${line}.`).join('')} If the project needs a setup, write ${projectFileName}:

  { "setup": ["make deps"], "lockfiles": ["deps.lock"], "files": [".env.test"] }
`
  }
  const file = path.join(repository.path, projectFileName)
  print(`Proposed for ${repository.path}:\n`)
  for (const line of proposal.reasons) print(`  ${line}`)
  for (const line of await describeUncoveredProjects(repository, proposal.project)) print(paint('yellow', `  ${line}`))
  print()
  const project = await addCredentials(proposal, ask)
  const parsed = Project.parse(project)
  const toolchains = await findProjectToolchains(config, repository, parsed)
  printProjectFile({ file: `${file} (new)`, project: parsed }, sandbox, toolchains)
  if (!(await ask('Write this file, and run these commands when work begins?'))) return NOTHING_CHANGED
  writeAtomic(file, `${JSON.stringify(project, null, 2)}\n`, 0o644)
  const written = readProject(repository.path)
  if (!written) throw new Error('the file that was just written is missing')
  confirmProject(config.home, repository.path, written.sha256)
  return `Written: ${written.file}. Commit it to share it.`
}

/** Where else than a proposal looks there are projects: the line that says so. */
async function describeDeeperProjects(repository: UserRepository): Promise<string[]> {
  const files = await listDeeperProjects(repository)
  if (files.length === 0) return []
  return [
    `deeper there is ${formatNames(files, MAX_DEEPER_COUNT)}: for one of them, run \`dispatch prepare\` in its folder`,
  ]
}

/** What lies deeper and is not set up by this file or proposal: the line that says so. */
async function describeUncoveredProjects(
  repository: UserRepository,
  project: Pick<Project, 'setup' | 'lockfiles'>,
): Promise<string[]> {
  const files = await listDeeperProjects(repository, project)
  if (files.length === 0) return []
  const folder = sanitize(path.posix.dirname(files[0] ?? ''))
  return [
    `this sets up nothing for ${formatNames(files, MAX_DEEPER_COUNT)}: where checks need it, add a command such as \`cd ${folder} && …\` to "setup"`,
  ]
}

async function findProjectToolchains(config: Config, repository: UserRepository, { toolchains }: Project) {
  const shell = { untrustedFolders: [repository.path, config.home] }
  return addNamedToolchains(await findToolchains(shell), toolchains, shell)
}

/** Ask about each file of the home with a login for a registry. What a yes adds: the file, its hosts, and its variables. */
async function addCredentials({ project, credentials }: ProjectProposal, ask: PrepareContext['ask']) {
  const allowed: CredentialFile[] = []
  for (const file of credentials) {
    const purpose = file.hosts.length > 0 ? `, which leads to ${formatNames(file.hosts)}` : ''
    if (await ask(`May these commands (not the agents) read ${file.name}${purpose}?`)) allowed.push(file)
  }
  if (allowed.length === 0) return project
  const merge = (own: string[] | undefined, added: string[]) => [...new Set([...(own ?? []), ...added])]
  const variables = allowed.flatMap(file => file.variables)
  return {
    ...project,
    hosts: merge(
      project.hosts,
      allowed.flatMap(file => file.hosts),
    ),
    credentials: allowed.map(file => file.name),
    ...(variables.length > 0 ? { environment: merge(project.environment, variables) } : {}),
  }
}
