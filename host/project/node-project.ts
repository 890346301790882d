import { z } from 'zod'
import { parseJson } from '../json.ts'
import type { InstallStep, ProjectFolder } from './install-step.ts'

/** What of a `package.json` decides how its dependencies are installed. */
const Manifest = z.object({
  packageManager: z.string().optional().catch(undefined),
  dependencies: z.record(z.string(), z.unknown()).optional().catch(undefined),
  devDependencies: z.record(z.string(), z.unknown()).optional().catch(undefined),
  optionalDependencies: z.record(z.string(), z.unknown()).optional().catch(undefined),
  workspaces: z.unknown().optional(),
})

/** The programs of Node projects. `yarn` is version 2 or newer, `yarn1` the classic one. */
type NodeTool = 'npm' | 'pnpm' | 'yarn' | 'yarn1' | 'bun'

/** How the dependencies of a Node project are installed; undefined if it has none. */
export async function chooseNodeInstall(folder: ProjectFolder): Promise<InstallStep | undefined> {
  const manifest = folder.has('package.json')
    ? Manifest.safeParse(parseJson(await folder.read('package.json'))).data
    : undefined
  const lockfiles = nodeLockfiles.filter(([name]) => folder.has(name))
  const tool = (await chooseTool(folder, manifest?.packageManager)) ?? lockfiles[0]?.[1]
  const own = lockfiles.filter(([, owner]) => owner === tool?.replace(/1$/, '')).map(([name]) => name)
  const patterns = listInstallSources(folder)
  if (own.length > 0 && tool)
    return { tool: 'node', program: tool.replace(/1$/, ''), command: lockedCommands[tool], lockfiles: own, patterns }
  const hasDependencies = [manifest?.dependencies, manifest?.devDependencies, manifest?.optionalDependencies].some(
    list => Object.keys(list ?? {}).length > 0,
  )
  if (!hasDependencies && manifest?.workspaces === undefined) return undefined
  const program = (tool ?? 'npm').replace(/1$/, '')
  const isWorkspace = manifest?.workspaces !== undefined || folder.has('pnpm-workspace.yaml')
  const manifests = isWorkspace ? ['**/package.json'] : []
  const step = { tool: 'node', program, lockfiles: ['package.json'], patterns: [...manifests, ...patterns] }
  if (tool !== 'yarn') return { ...step, command: `${program} install` }
  // In a setup CI is set, and there the newer yarn writes no lock file, and without one it runs no script.
  return { ...step, command: 'yarn install --no-immutable', makes: ['yarn.lock'] }
}

// --- internal ---

/** What install scripts make packages in `node_modules` from: the models of Prisma, and changes of patch-package. */
function listInstallSources({ files }: ProjectFolder): string[] {
  const sources: [file: RegExp, pattern: string][] = [
    [/\.prisma$/, '**/*.prisma'],
    [/(^|\/)patches\/.*\.patch$/, '**/patches/**'],
  ]
  return sources.filter(([file]) => files.some(name => file.test(name))).map(([, pattern]) => pattern)
}

const nodeLockfiles: [name: string, tool: NodeTool][] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
]

const lockedCommands: Record<NodeTool, string> = {
  npm: 'npm ci',
  pnpm: 'pnpm install --frozen-lockfile',
  yarn: 'yarn install --immutable',
  yarn1: 'yarn install --frozen-lockfile',
  bun: 'bun install --frozen-lockfile',
}

/** `packageManager` decides, as `pnpm@9.12.0`; else the lock file. The classic yarn writes another file than the newer ones. */
async function chooseTool(folder: ProjectFolder, packageManager = ''): Promise<NodeTool | undefined> {
  const [, name, major] = /^(npm|pnpm|yarn|bun)@(\d+)/.exec(packageManager) ?? []
  if (name === 'yarn') return major === '1' ? 'yarn1' : 'yarn'
  if (name !== undefined) return name as NodeTool
  if (folder.has('pnpm-lock.yaml') || !folder.has('yarn.lock')) return undefined
  if (folder.has('.yarnrc.yml') || /^__metadata:/m.test(await folder.read('yarn.lock'))) return 'yarn'
  return 'yarn1'
}
