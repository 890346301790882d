import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Login, readClaudeConfig, seedConfig } from '#host/claude'
import { agentVariableNames, buildProgramCommand, installFolder } from '#host/config'
import { makePrivateFolder, writeAtomic } from '#host/fs'
import { buildPolicy, listModelHosts } from '#host/sandbox'
import { hasClaudeFolders, type Session } from '#session'
import type { WorkerKind } from '#session/log'

/** The commands that the orchestrator finds on its PATH. */
export const toolsFolder = path.join(installFolder, 'bin/agent-tools')

/**
 * Write the orchestrator's sandbox policy and answer the command prefix that enters the sandbox; empty without a sandbox. The
 * orchestrator can write its own folder and read the work and the session, except for what counts as proof.
 */
export function prepareOrchestratorSandbox(session: Session, variableNames: string[]): string[] {
  const { paths, manifest } = session
  if (manifest.sandbox.kind === null) return []
  const policy = buildPolicy('orchestrator', {
    ...buildSharedPolicy(session, paths.claudeFolder, variableNames),
    folder: paths.orchestratorFolder,
    tempFolder: paths.tempFolder,
    readablePaths: [paths.folder, toolsFolder, ...listSharedUserFiles(session), ...hookFiles],
    hiddenPaths: [paths.evidence, paths.events, paths.messages, paths.workers, paths.runnerLease],
    writablePaths: [paths.orchestratorFolder, paths.hookInbox],
  })
  writeAtomic(paths.sandboxPolicy, JSON.stringify(policy))
  return [...buildProgramCommand('bin/processes/sandbox'), paths.sandboxPolicy, '--']
}

/**
 * Write two policies: the worker's, and the one for git commands on its behalf. Returns the variables by which `worker.sh`
 * starts the sandbox launcher.
 */
export function prepareWorkerSandbox(
  session: Session,
  { name, kind }: { name: string; kind: WorkerKind },
  { files, programs, variables }: { files: string[]; programs: string[]; variables: Record<string, string> },
  variableNames: string[],
): Record<string, string> {
  const { paths, manifest } = session
  if (manifest.sandbox.kind === null) return { DISPATCH_SANDBOX_LAUNCHER: '', DISPATCH_NODE: '' }
  const own = paths.worker(name)
  const agent = buildPolicy(kind, {
    ...buildSharedPolicy(session, own.claudeFolder, variableNames),
    folder: paths.outputs,
    tempFolder: own.tempFolder,
    files,
    readablePaths: [own.folder, ...Object.values(variables), ...listSharedUserFiles(session), ...hookFiles],
    toolFolders: programs,
    writablePaths: [paths.hookInbox],
  })
  const git = buildPolicy('commit', {
    folder: paths.outputs,
    tempFolder: own.tempFolder,
    outputs: paths.outputs,
    readablePaths: [own.folder, path.join(installFolder, 'agents')],
    inheritedVariables: variableNames,
  })
  writeAtomic(own.sandboxPolicy, JSON.stringify(agent))
  writeAtomic(own.gitSandboxPolicy, JSON.stringify(git))
  const [node, launcher] = buildProgramCommand('bin/processes/sandbox')
  return { DISPATCH_SANDBOX_LAUNCHER: launcher, DISPATCH_NODE: node }
}

/** The claude to start. A sandbox contains only the program itself and no link to it, so links are resolved. */
export function resolveClaudeProgram({ manifest }: Session): string {
  const { program } = manifest.claude
  return manifest.sandbox.kind === null ? program : fs.realpathSync(program)
}

/**
 * Prepare a claude folder for one agent, so that no agent can write the settings of another agent or of the user. The user's
 * login and settings are links in it, which the sandbox makes read-only.
 */
export function prepareClaudeFolder(session: Session, folder: string): Record<string, string> {
  const { manifest, paths } = session
  const { configDirectory } = manifest.claude
  if (!hasClaudeFolders(session)) return configDirectory === null ? {} : { CLAUDE_CONFIG_DIR: configDirectory }
  makePrivateFolder(folder)
  const known =
    manifest.loginKind === 'key'
      ? {}
      : { ...readClaudeConfig(resolveUserLogin(configDirectory).configFile), projects: {} }
  writeAtomic(path.join(folder, '.claude.json'), JSON.stringify(seedConfig(known, path.dirname(paths.folder)), null, 2))
  for (const file of listSharedUserFiles(session)) {
    const link = path.join(folder, path.basename(file))
    fs.rmSync(link, { force: true })
    fs.symlinkSync(file, link)
  }
  return { CLAUDE_CONFIG_DIR: folder }
}

// --- internal ---

const hookFiles = ['hooks', 'settings.json'].map(name => path.join(installFolder, name))

function buildSharedPolicy(session: Session, claudeFolder: string, variableNames: string[]) {
  const { manifest, paths } = session
  const configFile = path.join(claudeFolder, '.claude.json')
  const login: Login = hasClaudeFolders(session)
    ? { kind: 'key', configDirectory: claudeFolder, configFile }
    : resolveUserLogin(manifest.claude.configDirectory)
  return {
    outputs: paths.outputs,
    login,
    allowedHosts: [...listModelHosts(), ...manifest.allowedHosts],
    programs: [fs.realpathSync(manifest.claude.program)],
    // The sandbox launcher connects to the proxy; the agent does not.
    inheritedVariables: [...variableNames, ...agentVariableNames.filter(name => !/proxy$/i.test(name))],
  }
}

/** The user's login and settings files, which an agent with its own claude folder can read. */
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
