import path from 'node:path'
import {
  agentVariableNames,
  buildProgramCommand,
  type Config,
  listDependencyVariables,
  settingsSchema,
} from '#host/config'
import { applyModelVariables } from '#host/model'
import { buildUnprivilegedCommand } from '#host/process'
import { openTmux, type Tmux, type TmuxSession } from '#host/tmux'
import { buildSessionEnvironment } from '#host/toolchains'
import { refuseNewerFormat, type Session } from '#session'

/** The name of the tmux session: `dispatch-<id>`. */
export function getTmuxSessionName({ id }: Session): string {
  return `dispatch-${id}`
}

/** The tmux session with the folder in which its windows start. */
export function getTmuxSession(session: Session): TmuxSession {
  return { session: getTmuxSessionName(session), folder: session.paths.windows }
}

/** Open the session's terminal: the runner in window 0, which lets claude start first, and the orchestrator. */
export async function openTerminal(session: Session, tmux: Tmux, config: Config): Promise<void> {
  const { paths } = session
  const waitForClaude = ['/bin/sh', path.join(config.installFolder, 'runner/wait-for-claude.sh'), paths.hookInbox]
  const windows = [
    { name: 'runner', command: [...waitForClaude, ...buildRunnerCommand(session)] },
    { name: 'orchestrator', command: buildOrchestratorCommand(session) },
  ]
  await openWindows(tmux, session, windows)
}

/**
 * Start a new runner for a session whose runner is dead, in its terminal if that still exists. Returns whether it was started:
 * another process may have done so, or tmux may not have noticed yet that the old runner is dead.
 */
export async function launchSuccessor(session: Session, config: Config): Promise<boolean> {
  refuseNewerFormat(session)
  applyModelVariables(config.home)
  const tmux = openTmux(config.home)
  const isOpen = (await tmux.listPanes()).some(pane => pane.session === getTmuxSessionName(session))
  const window = { name: 'runner', command: buildRunnerCommand(session) }
  if (isOpen) return tmux.respawnWindow({ ...getTmuxSession(session), ...window })
  await openWindows(tmux, session, [window])
  return true
}

/** Without new privileges where only a person may approve, so that the kernel can tell the agent's processes from a person's. */
export function buildOrchestratorCommand({ paths, manifest }: Session): string[] {
  return manifest.requiresApproval ? buildUnprivilegedCommand(paths.launchScript) : ['/bin/sh', paths.launchScript]
}

function openWindows(tmux: Tmux, session: Session, windows: Parameters<Tmux['openSession']>[1]): Promise<void> {
  const environment = buildSessionEnvironment(session.manifest.repository?.path)
  return tmux.openSession(
    getTmuxSession(session),
    windows,
    inheritedVariables,
    listRunnerVariables(session),
    environment,
  )
}

function buildRunnerCommand({ id }: Session): string[] {
  return [...buildProgramCommand('bin/processes/runner'), id]
}

/** What the commands that install dependencies need. The runner hands it to them, and no agent may have it. */
function listRunnerVariables({ manifest }: Session): string[] {
  return manifest.project ? listDependencyVariables(manifest.project.environment) : []
}

/** The variables that a session's windows inherit: those of the models and dispatch's own settings. */
const inheritedVariables = [
  'PATH',
  'HOME',
  'DISPATCH_HOME',
  'NODE_COMPILE_CACHE',
  ...agentVariableNames,
  // What leads to GitHub is for commands of a person. No session needs it.
  ...Object.keys(settingsSchema.shape).filter(name => !name.startsWith('GITHUB_')),
]
