import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Login, readClaudeConfig, seedConfig } from '#host/claude'
import { agentVariableNames, buildProgramCommand, installFolder } from '#host/config'
import { makePrivateFolder, writeAtomic } from '#host/fs'
import { buildPolicy, listModelHosts } from '#host/sandbox'
import { hasClaudeFolders, type Session } from '#session'
import type { WorkerKind } from '#session/log'

/**
 * What stands in front of the orchestrator's command: the door into its sandbox. It writes its desk, and reads the session but
 * for what is proof, and the work. Empty where this session has no sandbox.
 */
export function prepareOrchestratorSandbox(session: Session, variables: Record<string, string>): string[] {
  const { paths, manifest } = session
  if (manifest.sandbox.kind === null) return []
  const policy = buildPolicy('orchestrator', {
    ...buildSharedPolicy(session, paths.claudeFolder, variables),
    folder: paths.orchestratorFolder,
    tempFolder: paths.tempFolder,
    readablePaths: [
      paths.folder,
      path.join(installFolder, 'bin/agent-tools'),
      ...listSharedUserFiles(session),
      ...hookFiles,
    ],
    hiddenPaths: [paths.evidence, paths.events, paths.messages, paths.workers, paths.runnerLease],
    writablePaths: [paths.orchestratorFolder, paths.hookInbox],
  })
  writeAtomic(paths.sandboxPolicy, JSON.stringify(policy))
  return [...buildProgramCommand('bin/processes/sandbox'), paths.sandboxPolicy, '--']
}

/** A worker, as its sandbox must know it. */
export interface SandboxedWorker {
  name: string
  kind: WorkerKind
  /** What an rw worker may change. */
  files: string[]
  /** Folders of the project's own tools, and where its dependencies lie outside of its tree. */
  programs: string[]
  readablePaths: string[]
}

/**
 * Write down what a worker's sandbox lets it do, and git on its behalf, and tell `worker.sh` the way in.
 */
export function prepareWorkerSandbox(
  session: Session,
  { name, kind, files, programs, readablePaths }: SandboxedWorker,
  variables: Record<string, string>,
): Record<string, string> {
  const { paths, manifest } = session
  if (manifest.sandbox.kind === null) return { DISPATCH_SANDBOX_LAUNCHER: '', DISPATCH_NODE: '' }
  const own = paths.worker(name)
  const agent = buildPolicy(kind, {
    ...buildSharedPolicy(session, own.claudeFolder, variables),
    folder: paths.outputs,
    tempFolder: own.tempFolder,
    files,
    readablePaths: [own.folder, ...readablePaths, ...listSharedUserFiles(session), ...hookFiles],
    toolFolders: programs,
    writablePaths: [paths.hookInbox],
  })
  const git = buildPolicy('commit', {
    folder: paths.outputs,
    tempFolder: own.tempFolder,
    outputs: paths.outputs,
    readablePaths: [own.folder, path.join(installFolder, 'agents')],
    inheritedVariables: Object.keys(variables),
  })
  writeAtomic(own.sandboxPolicy, JSON.stringify(agent))
  writeAtomic(own.gitSandboxPolicy, JSON.stringify(git))
  const [node, door] = buildProgramCommand('bin/processes/sandbox')
  return { DISPATCH_SANDBOX_LAUNCHER: door, DISPATCH_NODE: node }
}

/** The claude to start: inside a sandbox only the file itself is there, and no link to it. */
export function resolveClaudeProgram({ manifest }: Session): string {
  const { program } = manifest.claude
  return manifest.sandbox.kind === null ? program : fs.realpathSync(program)
}

/**
 * Claude's own folder for one agent, private to it, so that no agent writes the settings of another, or of the user's own claude.
 * The user's login and settings lie in it as links: inside they are only read.
 */
export function prepareClaudeFolder(session: Session, folder: string): Record<string, string> {
  const { manifest, paths } = session
  const named = manifest.claude.configDirectory
  if (!hasClaudeFolders(session)) return named === null ? {} : { CLAUDE_CONFIG_DIR: named }
  makePrivateFolder(folder)
  const known =
    manifest.loginKind === 'key' ? {} : { ...readClaudeConfig(resolveUserLogin(named).configFile), projects: {} }
  writeAtomic(path.join(folder, '.claude.json'), JSON.stringify(seedConfig(known, path.dirname(paths.folder)), null, 2))
  for (const file of listSharedUserFiles(session)) {
    fs.rmSync(path.join(folder, path.basename(file)), { force: true })
    fs.symlinkSync(file, path.join(folder, path.basename(file)))
  }
  return { CLAUDE_CONFIG_DIR: folder }
}

// --- internal ---

const hookFiles = ['hooks', 'settings.json'].map(name => path.join(installFolder, name))

function buildSharedPolicy(session: Session, claude: string, variables: Record<string, string>) {
  const { manifest, paths } = session
  const named = manifest.claude.configDirectory
  const own: Login = { kind: 'key', configDirectory: claude, configFile: path.join(claude, '.claude.json') }
  return {
    outputs: paths.outputs,
    login: hasClaudeFolders(session) ? own : resolveUserLogin(named),
    allowedHosts: [...listModelHosts(), ...manifest.allowedHosts],
    programs: [fs.realpathSync(manifest.claude.program)],
    // The way through a proxy is the door's, not the agent's.
    inheritedVariables: [...Object.keys(variables), ...agentVariableNames.filter(name => !/proxy$/i.test(name))],
  }
}

/** What an agent with a claude folder of its own is lent of the user's: the login and the settings, as files. */
function listSharedUserFiles(session: Session): string[] {
  const { loginKind, claude } = session.manifest
  if (loginKind === 'key' || !hasClaudeFolders(session)) return []
  const folder = claude.configDirectory ?? path.join(os.homedir(), '.claude')
  return ['.credentials.json', 'settings.json']
    .map(name => path.join(folder, name))
    .filter(file => fs.existsSync(file))
    .map(file => fs.realpathSync(file))
}

function resolveUserLogin(configDirectory: string | null): Login {
  const configFile = path.join(configDirectory ?? os.homedir(), '.claude.json')
  return { kind: 'own', configDirectory: configDirectory ?? undefined, configFile }
}
