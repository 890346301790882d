import path from 'node:path'
import {
  agentVariables,
  boundCommand,
  type Config,
  ownProgram,
  settings,
  type TmuxSession,
  tmuxOf,
} from '../host/index.ts'
import { refuseNewer, type Session } from '../session/index.ts'

/** The tmux session of a dispatch: `dispatch-<sid>`. */
export function tmuxSession({ id }: Session): string {
  return `dispatch-${id}`
}

/** The same with the folder in which its windows start. */
export function tmuxPlace(session: Session): TmuxSession {
  return { session: tmuxSession(session), folder: session.paths.windows }
}

/** Open the session's terminal: its orchestrator, and in window 0 its runner, which lets claude start first. */
export async function startSession(session: Session, config: Config): Promise<void> {
  const { approve } = session.opening // Then nothing that stems from it can be taken for a person's.
  const waiting = ['/bin/sh', path.join(config.install, 'runner/after-claude.sh'), session.paths.spool]
  const windows = [
    { name: 'runner', command: [...waiting, ...runnerCommand(session)] },
    { name: 'orchestrator', command: approve ? boundCommand(session.paths.launch) : ['/bin/sh', session.paths.launch] },
  ]
  await tmuxOf(config.home).openSession(tmuxPlace(session), windows, carried)
}

/**
 * Start one successor of a runner that is gone, in the session's terminal if that is still there. Answers whether it was started
 * here: somebody else may have done so, or tmux not yet have seen that the first is gone.
 */
export async function startSuccessor(session: Session, config: Config): Promise<boolean> {
  refuseNewer(session)
  const tmux = tmuxOf(config.home)
  const open = (await tmux.panes()).some(pane => pane.session === tmuxSession(session))
  const window = { name: 'runner', command: runnerCommand(session) }
  if (open) return tmux.renewWindow({ ...tmuxPlace(session), ...window })
  await tmux.openSession(tmuxPlace(session), [window], carried)
  return true
}

function runnerCommand({ id }: Session): string[] {
  return [...ownProgram('bin/runner'), id]
}

/** What the windows of a session have from the caller's environment: the way to the models, and our own settings. */
const carried = [
  'PATH',
  'HOME',
  'DISPATCH_HOME',
  'NODE_COMPILE_CACHE',
  ...agentVariables,
  ...Object.keys(settings.shape),
]
