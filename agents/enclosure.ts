import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {
  agentVariables,
  install,
  type Login,
  makePrivate,
  modelHosts,
  policyOf,
  seeded,
  writeAtomic,
} from '../host/index.ts'
import type { Session, WorkerKind } from '../session/index.ts'

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
    read: [paths.folder, path.join(install, 'bin/desk'), ...hookFiles],
    hide: [paths.evidence, paths.events, paths.human, paths.workers, paths.runner],
    write: [paths.desk, paths.spool],
  })
  writeAtomic(paths.policy, JSON.stringify(policy))
  return [process.execPath, door, paths.policy, '--']
}

/**
 * Write down what a worker's sandbox lets it do, and git on its behalf, and tell `worker.sh` the way in. `files` are what an rw
 * worker may change.
 */
export function workerDoor(
  session: Session,
  { name, kind, files }: { name: string; kind: WorkerKind; files: string[] },
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
    read: [own.folder, ...hookFiles],
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
  return { DISPATCH_DOOR: door, DISPATCH_NODE: process.execPath }
}

/** The claude to start: inside a sandbox only the file itself is there, and no link to it. */
export function claudeProgram({ opening }: Session): string {
  const { program } = opening.claude
  return opening.sandbox.kind === null ? program : fs.realpathSync(program)
}

/** Claude's own folder for one agent: with a key it is private to it, so that no agent writes the settings of another. */
export function claudeFolder(session: Session, folder: string): Record<string, string> {
  const { opening } = session
  const named = opening.claude.configDirectory
  if (opening.login === 'own') return named === null ? {} : { CLAUDE_CONFIG_DIR: named }
  makePrivate(folder)
  const config = seeded({}, path.dirname(session.paths.folder))
  writeAtomic(path.join(folder, '.claude.json'), JSON.stringify(config, null, 2))
  return { CLAUDE_CONFIG_DIR: folder }
}

// --- internal ---

const door = path.join(install, 'bin/sandboxed.ts')

const hookFiles = ['hooks', 'settings.json'].map(name => path.join(install, name))

function common(session: Session, claude: string, variables: Record<string, string>) {
  const { opening, paths } = session
  const login: Login =
    opening.login === 'key'
      ? { kind: 'key', configDirectory: claude, configFile: path.join(claude, '.claude.json') }
      : ownLogin(opening.claude.configDirectory)
  return {
    outputs: paths.outputs,
    login,
    hosts: [...modelHosts(), ...opening.hosts],
    programs: [fs.realpathSync(opening.claude.program)],
    // The way through a proxy is the door's, not the agent's.
    inherit: [...Object.keys(variables), ...agentVariables.filter(name => !/proxy$/i.test(name))],
  }
}

function ownLogin(configDirectory: string | null): Login {
  const configFile = path.join(configDirectory ?? os.homedir(), '.claude.json')
  return { kind: 'own', configDirectory: configDirectory ?? undefined, configFile }
}
