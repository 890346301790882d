import path from 'node:path'
import { agentVariableNames, buildProgramCommand, type Config, settingsSchema } from '#host/config'
import { buildUnprivilegedCommand } from '#host/process'
import { openTmux, type TmuxSession } from '#host/tmux'
import { refuseNewerFormat, type Session } from '#session'

/** The tmux session of a dispatch: `dispatch-<sid>`. */
export function getTmuxSessionName({ id }: Session): string {
  return `dispatch-${id}`
}

/** The same with the folder in which its windows start. */
export function tmuxPlace(session: Session): TmuxSession {
  return { session: getTmuxSessionName(session), folder: session.paths.windows }
}

/** Open the session's terminal: its orchestrator, and in window 0 its runner, which lets claude start first. */
export async function openTerminal(session: Session, config: Config): Promise<void> {
  const { requiresApproval } = session.manifest // Then nothing that stems from it can be taken for a person's.
  const waiting = ['/bin/sh', path.join(config.installFolder, 'runner/wait-for-claude.sh'), session.paths.hookInbox]
  const windows = [
    { name: 'runner', command: [...waiting, ...buildRunnerCommand(session)] },
    {
      name: 'orchestrator',
      command: requiresApproval
        ? buildUnprivilegedCommand(session.paths.launchScript)
        : ['/bin/sh', session.paths.launchScript],
    },
  ]
  await openTmux(config.home).openSession(tmuxPlace(session), windows, inheritedVariables)
}

/**
 * Start one successor of a runner that is gone, in the session's terminal if that is still there. Answers whether it was started
 * here: somebody else may have done so, or tmux not yet have seen that the first is gone.
 */
export async function launchSuccessor(session: Session, config: Config): Promise<boolean> {
  refuseNewerFormat(session)
  const tmux = openTmux(config.home)
  const open = (await tmux.listPanes()).some(pane => pane.session === getTmuxSessionName(session))
  const window = { name: 'runner', command: buildRunnerCommand(session) }
  if (open) return tmux.respawnWindow({ ...tmuxPlace(session), ...window })
  await tmux.openSession(tmuxPlace(session), [window], inheritedVariables)
  return true
}

function buildRunnerCommand({ id }: Session): string[] {
  return [...buildProgramCommand('bin/processes/runner'), id]
}

/** What the windows of a session have from the caller's environment: the way to the models, and our own settings. */
const inheritedVariables = [
  'PATH',
  'HOME',
  'DISPATCH_HOME',
  'NODE_COMPILE_CACHE',
  ...agentVariableNames,
  ...Object.keys(settingsSchema.shape),
]
