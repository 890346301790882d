import fs from 'node:fs'
import path from 'node:path'
import {
  findClaude,
  hasCredentialVariable,
  locateClaudeFiles,
  readClaudeConfig,
  readUserSettings,
  seedConfig,
} from '#host/claude'
import {
  agentVariableNames,
  buildProgramCommand,
  installFolder,
  listCertificateFiles,
  pickVariables,
} from '#host/config'
import { makePrivateFolder, readJson, writeAtomic } from '#host/fs'
import { lfsFilterFolder } from '#host/lfs'
import {
  detectProvider,
  listHiddenLoginVariables,
  listLoginFiles,
  listModelHosts,
  type ModelPolicy,
  readStoredLogin,
  relayedVariableNames,
  renderPlaceholderLogin,
} from '#host/model'
import { buildPolicy } from '#host/sandbox'
import type { ServicePlan } from '#host/services'
import { listToolchainPaths } from '#host/toolchains'
import { hasClaudeFolders, type Session, type SessionManifest, type SessionPaths } from '#session'
import type { WorkerKind } from '#session/log'

/** What an agent is started from: a session, or as much of one as a question outside of a session has. */
export interface AgentSeat {
  manifest: Pick<SessionManifest, 'sandbox' | 'loginKind' | 'claude' | 'allowedHosts' | 'toolchains'>
  paths: Pick<SessionPaths, 'folder' | 'outputs' | 'claudeSettings'>
}

/** The commands that the orchestrator finds on its PATH. */
export const toolsFolder = path.join(installFolder, 'bin/agent-tools')

/**
 * Write the orchestrator's sandbox policy and answer the command prefix that enters the sandbox; empty without a sandbox. The
 * orchestrator can write its own folder and read the work and the session, except for what counts as proof.
 */
export function prepareOrchestratorSandbox(session: Session, variableNames: string[], placeholder: string): string[] {
  const { paths, manifest } = session
  if (manifest.sandbox.kind === null) return []
  const { sharedFiles, ...shared } = buildSharedPolicy(session, paths.claudeFolder, variableNames, placeholder)
  const policy = buildPolicy('orchestrator', {
    ...shared,
    folder: paths.orchestratorFolder,
    tempFolder: paths.tempFolder,
    readablePaths: [paths.folder, toolsFolder, ...sharedFiles],
    hiddenPaths: [paths.evidence, paths.events, paths.messages, paths.workers, paths.runnerLease],
    writablePaths: [paths.orchestratorFolder, paths.hookInbox],
  })
  writeAtomic(paths.sandboxPolicy, JSON.stringify(policy), 0o600, { isDurable: false })
  return [...buildProgramCommand('bin/processes/sandbox'), paths.sandboxPolicy, '--']
}

/**
 * Write two policies: the worker's, and the one for git commands on its behalf. Returns the variables by which `worker.sh`
 * starts the sandbox launcher.
 */
export function prepareWorkerSandbox(
  session: Session,
  { name, kind }: { name: string; kind: WorkerKind },
  {
    files,
    programs,
    readablePaths,
    services,
  }: { files: string[]; programs: string[]; readablePaths: string[]; services?: ServicePlan | undefined },
  variableNames: string[],
  placeholder: string,
): Record<string, string> {
  const { paths, manifest } = session
  if (manifest.sandbox.kind === null) return { DISPATCH_SANDBOX_LAUNCHER: '', DISPATCH_NODE: '' }
  const own = paths.worker(name)
  const { sharedFiles, ...shared } = buildSharedPolicy(session, own.claudeFolder, variableNames, placeholder)
  const agent = buildPolicy(kind, {
    ...shared,
    folder: paths.outputs,
    tempFolder: own.tempFolder,
    files,
    readablePaths: [
      own.folder,
      paths.baseObjects,
      lfsFilterFolder,
      ...readablePaths,
      ...(services?.readablePaths ?? []),
      ...sharedFiles,
    ],
    toolFolders: programs,
    writablePaths: [paths.hookInbox],
  })
  const git = buildPolicy('commit', {
    folder: paths.outputs,
    tempFolder: own.tempFolder,
    outputs: paths.outputs,
    readablePaths: [own.folder, paths.baseObjects, path.join(installFolder, 'agents'), lfsFilterFolder],
    inheritedVariables: variableNames,
  })
  writeAtomic(own.sandboxPolicy, JSON.stringify(agent), 0o600, { isDurable: false })
  writeAtomic(own.gitSandboxPolicy, JSON.stringify(git), 0o600, { isDurable: false })
  const [node, launcher] = buildProgramCommand('bin/processes/sandbox')
  return { DISPATCH_SANDBOX_LAUNCHER: launcher, DISPATCH_NODE: node }
}

/**
 * Write the policy of an agent outside of a session, which reads one folder and writes nothing. Returns the command prefix that enters
 * the sandbox; empty without one.
 */
export function prepareReaderSandbox(
  seat: AgentSeat,
  folders: { claude: string; temp: string; policyFile: string },
  variableNames: string[],
  placeholder: string,
): string[] {
  if (seat.manifest.sandbox.kind === null) return []
  const { sharedFiles, ...shared } = buildSharedPolicy(seat, folders.claude, variableNames, placeholder)
  const policy = buildPolicy('orchestrator', {
    ...shared,
    folder: seat.paths.outputs,
    tempFolder: folders.temp,
    readablePaths: [...sharedFiles, path.dirname(folders.policyFile)],
  })
  writeAtomic(folders.policyFile, JSON.stringify(policy), 0o600, { isDurable: false })
  return [...buildProgramCommand('bin/processes/sandbox'), folders.policyFile, '--']
}

/** The claude to start. A sandbox contains only the program itself and no link to it, so links are resolved. */
export function resolveClaudeProgram({ manifest }: AgentSeat): string {
  const program = locateClaude(manifest)
  return manifest.sandbox.kind === null ? program : fs.realpathSync(program)
}

/**
 * Prepare a claude folder for one agent, so that no agent can write the settings of another agent or of the user. Instead of a
 * login it has a placeholder, which is worth something only at this agent's relay.
 */
export function prepareClaudeFolder(session: AgentSeat, folder: string, placeholder: string): Record<string, string> {
  const { manifest, paths } = session
  const { configDirectory } = manifest.claude
  if (!hasClaudeFolders(session)) return configDirectory === null ? {} : { CLAUDE_CONFIG_DIR: configDirectory }
  makePrivateFolder(folder)
  const hasRelay = usesRelay(session)
  const user = locateClaudeFiles(configDirectory)
  const isOwn = manifest.loginKind === 'own'
  // With a key, nothing of the user's configuration is needed.
  const { mcpServers: _servers, primaryApiKey, ...known } = isOwn ? readClaudeConfig(user.configFile) : {}
  const keyHolder = hasRelay && primaryApiKey ? { primaryApiKey: placeholder } : {}
  const config = seedConfig(
    { ...known, ...keyHolder, projects: {} },
    path.dirname(paths.folder),
    hasRelay ? placeholder : undefined,
  )
  writeAtomic(path.join(folder, '.claude.json'), JSON.stringify(config, null, 2), 0o600, { isDurable: false })
  const login = isOwn && hasRelay && !hasCredentialVariable() ? readStoredLogin(user.credentials) : undefined
  if (login) writeAtomic(path.join(folder, '.credentials.json'), renderPlaceholderLogin(login, placeholder))
  return { CLAUDE_CONFIG_DIR: folder }
}

/** Write the settings that every agent's claude gets: hooks of dispatch, and what agents take over from the user. */
export function prepareClaudeSettings({ paths }: Session): void {
  const own = readJson(path.join(installFolder, 'settings.json')) as Record<string, unknown>
  writeAtomic(paths.claudeSettings, JSON.stringify({ ...readUserSettings().kept, ...own }, null, 2))
}

// --- internal ---

/** The claude that the session began with. If it is gone, such as with a version of dispatch that was removed, the one of now. */
function locateClaude({ claude: { program } }: AgentSeat['manifest']): string {
  return fs.existsSync(program) ? program : findClaude()
}

const hooksFolder = path.join(installFolder, 'hooks')

/** What the policies of a session's agents share. */
function buildSharedPolicy(session: AgentSeat, claudeFolder: string, variableNames: string[], placeholder: string) {
  const { manifest, paths } = session
  const hasRelay = usesRelay(session)
  const model: ModelPolicy = {
    placeholder,
    claude: locateClaude(manifest),
    configDirectory: manifest.loginKind === 'own' ? manifest.claude.configDirectory : null,
    leaseFolder: path.resolve(paths.folder, '../../login-lease'),
  }
  const withheld = hasRelay ? relayedVariableNames : listHiddenLoginVariables()
  const certificates = listCertificateFiles(pickVariables(agentVariableNames))
  return {
    outputs: paths.outputs,
    claudeFolder,
    allowedHosts: [...(hasRelay ? [] : listModelHosts()), ...manifest.allowedHosts],
    programs: [fs.realpathSync(locateClaude(manifest))],
    // The launcher connects to the user's proxy; the agent does not.
    inheritedVariables: [
      ...variableNames,
      ...agentVariableNames.filter(name => !/proxy$/i.test(name) && !withheld.includes(name)),
    ],
    sharedFiles: [
      hooksFolder,
      paths.claudeSettings,
      ...listToolchainPaths(manifest.toolchains),
      ...certificates,
      ...(hasRelay ? [] : listLoginFiles()),
    ],
    ...(hasRelay ? { model } : {}),
  }
}

/** Is there a relay between the agents and their model? A cloud has a login of its own. */
function usesRelay(session: AgentSeat): boolean {
  return session.manifest.sandbox.kind !== null && detectProvider() === 'anthropic'
}
