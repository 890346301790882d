import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {
  agentVariables,
  install,
  type Login,
  makePrivate,
  modelHosts,
  ownProgram,
  policyOf,
  readClaudeConfig,
  seeded,
  writeAtomic,
} from '../host/index.ts'
import { hasClaudeFolders, type Session, type WorkerKind } from '../session/index.ts'

/**
 * What stands in front of the orchestrator's command: the door into its sandbox. It writes its desk, and reads the session but
 * for what is proof, and the work. Empty where this session has no sandbox.
 */
export function orchestratorDoor(session: Session, variables: Record<string, string>): string[] {
  const { paths, opening } = session
  if (opening.sandbox.kind === null) return []
  const policy = policyOf('orchestrator', {
    ...common(session, paths.claude, variables),
    folder: paths.desk,
    scratch: paths.scratch,
    read: [paths.folder, path.join(install, 'bin/desk'), ...lentFiles(session), ...hookFiles],
    hide: [paths.evidence, paths.events, paths.human, paths.workers, paths.runner],
    write: [paths.desk, paths.spool],
  })
  writeAtomic(paths.policy, JSON.stringify(policy))
  return [...ownProgram('bin/sandboxed'), paths.policy, '--']
}

/** A worker, as its sandbox must know it. */
export interface Enclosed {
  name: string
  kind: WorkerKind
  /** What an rw worker may change. */
  files: string[]
  /** Folders of the project's own tools, and where its dependencies lie outside of its tree. */
  programs: string[]
  reads: string[]
}

/**
 * Write down what a worker's sandbox lets it do, and git on its behalf, and tell `worker.sh` the way in.
 */
export function workerDoor(
  session: Session,
  { name, kind, files, programs, reads }: Enclosed,
  variables: Record<string, string>,
): Record<string, string> {
  const { paths, opening } = session
  if (opening.sandbox.kind === null) return { DISPATCH_DOOR: '', DISPATCH_NODE: '' }
  const own = paths.worker(name)
  const agent = policyOf(kind, {
    ...common(session, own.claude, variables),
    folder: paths.outputs,
    scratch: own.scratch,
    files,
    read: [own.folder, ...reads, ...lentFiles(session), ...hookFiles],
    tools: programs,
    write: [paths.spool],
  })
  const git = policyOf('commit', {
    folder: paths.outputs,
    scratch: own.scratch,
    outputs: paths.outputs,
    read: [own.folder, path.join(install, 'agents')],
    inherit: Object.keys(variables),
  })
  writeAtomic(own.policy, JSON.stringify(agent))
  writeAtomic(own.gitPolicy, JSON.stringify(git))
  const [node, door] = ownProgram('bin/sandboxed')
  return { DISPATCH_DOOR: door, DISPATCH_NODE: node }
}

/** The claude to start: inside a sandbox only the file itself is there, and no link to it. */
export function claudeProgram({ opening }: Session): string {
  const { program } = opening.claude
  return opening.sandbox.kind === null ? program : fs.realpathSync(program)
}

/**
 * Claude's own folder for one agent, private to it, so that no agent writes the settings of another, or of the user's own claude.
 * The user's login and settings lie in it as links: inside they are only read.
 */
export function claudeFolder(session: Session, folder: string): Record<string, string> {
  const { opening, paths } = session
  const named = opening.claude.configDirectory
  if (!hasClaudeFolders(session)) return named === null ? {} : { CLAUDE_CONFIG_DIR: named }
  makePrivate(folder)
  const known = opening.login === 'key' ? {} : { ...readClaudeConfig(ownLogin(named).configFile), projects: {} }
  writeAtomic(path.join(folder, '.claude.json'), JSON.stringify(seeded(known, path.dirname(paths.folder)), null, 2))
  for (const file of lentFiles(session)) {
    fs.rmSync(path.join(folder, path.basename(file)), { force: true })
    fs.symlinkSync(file, path.join(folder, path.basename(file)))
  }
  return { CLAUDE_CONFIG_DIR: folder }
}

// --- internal ---

const hookFiles = ['hooks', 'settings.json'].map(name => path.join(install, name))

function common(session: Session, claude: string, variables: Record<string, string>) {
  const { opening, paths } = session
  const named = opening.claude.configDirectory
  const own: Login = { kind: 'key', configDirectory: claude, configFile: path.join(claude, '.claude.json') }
  return {
    outputs: paths.outputs,
    login: hasClaudeFolders(session) ? own : ownLogin(named),
    hosts: [...modelHosts(), ...opening.hosts],
    programs: [fs.realpathSync(opening.claude.program)],
    // The way through a proxy is the door's, not the agent's.
    inherit: [...Object.keys(variables), ...agentVariables.filter(name => !/proxy$/i.test(name))],
  }
}

/** What an agent with a claude folder of its own is lent of the user's: the login and the settings, as files. */
function lentFiles(session: Session): string[] {
  const { login, claude } = session.opening
  if (login === 'key' || !hasClaudeFolders(session)) return []
  const folder = claude.configDirectory ?? path.join(os.homedir(), '.claude')
  return ['.credentials.json', 'settings.json']
    .map(name => path.join(folder, name))
    .filter(file => fs.existsSync(file))
    .map(file => fs.realpathSync(file))
}

function ownLogin(configDirectory: string | null): Login {
  const configFile = path.join(configDirectory ?? os.homedir(), '.claude.json')
  return { kind: 'own', configDirectory: configDirectory ?? undefined, configFile }
}
