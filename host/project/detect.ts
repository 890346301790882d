import path from 'node:path'
import { listIgnoredFiles, listTreeEntries, type RepositoryCommit, readBlob } from '../git/git.ts'
import { quoteForShell } from '../shell-quote.ts'
import { type CredentialFile, findCredentialFiles, listReferredVariables } from './credentials.ts'
import { listFoldersTo } from './deeper.ts'
import { matchesEntry } from './entries.ts'
import { isLockFile, listHosts } from './hosts.ts'
import type { InstallStep, ProjectFolder } from './install-step.ts'
import { useCorepack } from './missing-programs.ts'
import { chooseNodeInstall } from './node-project.ts'
import { findToolProgram, packageTools } from './package-tools.ts'
import { describePythonMachine, findExtension, replaceUv } from './python-project.ts'
import type { Project } from './schema.ts'
import { extractSettings, isToolSettings } from './tool-settings.ts'
import { listVersionFiles } from './version-files.ts'

/** A proposed project file, and what it is based on. */
export interface ProjectProposal {
  project: Partial<Project> & Pick<Project, 'setup' | 'lockfiles' | 'hosts' | 'files'>
  /** One line each, such as `package-lock.json: npm ci`. */
  reasons: string[]
  /** Files of the user's home that the setup could read; the user is asked about each. */
  credentials: CredentialFile[]
}

/**
 * Propose a project file by the lock files of a commit, at its top, one folder below, and on the way to where the person is.
 * Undefined when no package tool is recognized.
 */
export async function proposeProject(
  repository: RepositoryCommit & { subfolder?: string },
): Promise<ProjectProposal | undefined> {
  const onTheWay = listFoldersTo(repository.subfolder)
  const files = (await listTreeEntries(repository)).map(entry => entry.path)
  const read = (file: string) => readBlob(repository, file)
  const detected = (await detectInstallSteps(files, read, onTheWay)).map(step => useCorepack(step))
  const machine = describePythonMachine(repository.path)
  const steps = await Promise.all(detected.map(step => replaceUv(step, read, machine)))
  const ignored = (await listIgnoredFiles(repository.path)).filter(file => /(^|\/)\.env\.(test|testing|ci)$/.test(file))
  if (steps.length === 0 && ignored.length === 0) return undefined
  const settings = await Promise.all(
    files.filter(file => isToolSettings(file, onTheWay)).map(async file => extractSettings(file, await read(file))),
  )
  const variables = [...new Set(settings.flatMap(listReferredVariables))]
  const manifests = files.filter(
    file => path.posix.basename(file) === 'pyproject.toml' && isToolSettings(file, onTheWay),
  )
  const makes = (await listVersionFilesOf(steps, manifests, read)).filter(file => !files.includes(file))
  const made = steps.flatMap(step => step.makes ?? [])
  return {
    project: {
      setup: steps.flatMap(({ command, optional }) => [command, ...(optional === undefined ? [] : [optional])]),
      lockfiles: [...new Set(steps.flatMap(listEntries))],
      hosts: await listHosts(steps, settings, { path: repository.path, read }),
      files: ignored,
      ...(variables.length > 0 ? { environment: variables } : {}),
      ...(makes.length + made.length > 0 ? { makes: [...new Set([...makes, ...made])] } : {}),
    },
    reasons: [
      ...steps.flatMap(({ command, optional, lockfiles }) =>
        [command, optional].flatMap(each => (each === undefined ? [] : [`${lockfiles[0]}: ${each}`])),
      ),
      ...new Set(steps.flatMap(({ remark }) => remark ?? [])),
      ...variables.map(name => `${name}: the settings of a package tool refer to it`),
      ...makes.map(file => `${file}: the installation of the project writes its version there`),
      ...ignored.map(file => `${file}: git ignores it, and tests are likely to need it`),
    ],
    credentials: findCredentialFiles(steps.map(({ command }) => command)),
  }
}

/** The install commands for the lock files at the top of a repository, one folder below, and in the other folders. */
export async function detectInstallSteps(
  files: string[],
  read: (file: string) => Promise<string>,
  others: string[] = [],
): Promise<InstallStep[]> {
  const present = new Set(files)
  const folders = [...new Set(files.map(file => path.posix.dirname(file)))]
    .filter(
      folder =>
        others.includes(folder) ||
        !/\/|^(node_modules|vendor|examples?|fixtures|tests?|docs?|scripts|\.[\w-]+)$/.test(folder),
    )
    .sort((a, b) => (a === '.' ? -1 : b === '.' ? 1 : a < b ? -1 : 1))
  const steps: InstallStep[] = []
  for (const folder of folders) {
    const resolve = (name: string) => path.posix.join(folder, name)
    const content: ProjectFolder = {
      has: name => present.has(resolve(name)),
      files: folder === '.' ? files : files.flatMap(file => stripPrefix(file, `${folder}/`)),
      read: name => read(resolve(name)),
    }
    for (const step of await detectInFolder(content)) {
      // A folder below without a lock file of its own is most likely a member of the workspace at the top.
      const isMember = folder !== '.' && !step.lockfiles.some(isLockFile)
      if (isMember && steps.some(other => other.tool === step.tool && !other.command.startsWith('cd '))) continue
      const resolveCommand = (command: string) =>
        folder === '.' ? command : `cd ${quoteForShell(folder)} && ${command}`
      steps.push({
        ...step,
        command: resolveCommand(step.command),
        ...(step.optional === undefined ? {} : { optional: resolveCommand(step.optional) }),
        lockfiles: step.lockfiles.map(resolve),
        patterns: step.patterns?.map(resolve) ?? [],
        makes: step.makes?.map(resolve) ?? [],
      })
    }
  }
  return steps
}

// --- internal ---

/** What of a step is listed under `lockfiles`: no file that a pattern covers. */
function listEntries({ lockfiles, patterns = [] }: InstallStep): string[] {
  return [...lockfiles.filter(file => !patterns.some(pattern => matchesEntry(pattern, file))), ...patterns]
}

/** The files that an installation in place writes beside those of the project, by its manifests. */
async function listVersionFilesOf(
  steps: InstallStep[],
  manifests: string[],
  read: (file: string) => Promise<string>,
): Promise<string[]> {
  if (!steps.some(({ tool }) => tool === 'python')) return []
  const made = manifests.map(async file => {
    const folder = path.posix.dirname(file)
    return listVersionFiles(await read(file)).map(name => path.posix.join(folder, name))
  })
  return (await Promise.all(made)).flat().filter(file => !file.startsWith('../') && !file.startsWith('/'))
}

function stripPrefix(text: string, prefix: string): string[] {
  return text.startsWith(prefix) ? [text.slice(prefix.length)] : []
}

/** The steps of one folder: at most one for each tool. */
async function detectInFolder(folder: ProjectFolder): Promise<InstallStep[]> {
  const node = await chooseNodeInstall(folder)
  const steps = node ? [node] : []
  for (const { tool, lockfiles, others, buildInstall } of packageTools) {
    const names = [...lockfiles.filter(folder.has), ...folder.files.filter(file => others?.test(file))]
    if (names.length === 0 || steps.some(step => step.tool === tool)) continue
    const install = await buildInstall(names, folder)
    if (install === undefined) continue
    const { command } = install
    // uv, Poetry and PDM install in place too, and have a lock file for that.
    const isByPip = tool === 'python' && command.startsWith('python3 ')
    const isInPlace = tool === 'python' && (!isByPip || command.includes(' -e '))
    const manifests = isByPip && isInPlace ? ['pyproject.toml', 'setup.py', 'setup.cfg'].filter(folder.has) : []
    const extension = isInPlace ? await findExtension(folder) : {}
    const step = { tool, program: findToolProgram(command), ...extension, ...install }
    steps.push({ ...step, lockfiles: [...new Set([...names, ...manifests, ...(install.lockfiles ?? [])])] })
  }
  return steps
}
