import path from 'node:path'
import { agentVariables, type Config, settings, tmuxOf } from '../host/index.ts'
import type { Session } from '../session/index.ts'

/** The tmux session of a dispatch: `dispatch-<sid>`. */
export function tmuxSession({ id }: Session): string {
  return `dispatch-${id}`
}

/** Open the session's terminal: its runner in window 0, its orchestrator beside it. */
export async function startSession(session: Session, config: Config): Promise<void> {
  const windows = [runnerWindow(session, config), { name: 'orchestrator', command: ['/bin/sh', session.paths.launch] }]
  await tmuxOf(config.home).openSession(tmuxSession(session), windows, carried)
}

/** Start one successor of a runner that is gone, in the session's terminal if that is still there. */
export async function startSuccessor(session: Session, config: Config): Promise<void> {
  const tmux = tmuxOf(config.home)
  const open = (await tmux.panes()).some(pane => pane.session === tmuxSession(session))
  const window = runnerWindow(session, config)
  if (!open) return tmux.openSession(tmuxSession(session), [window], carried)
  await tmux.closeWindow(tmuxSession(session), 'runner')
  await tmux.openWindow({ session: tmuxSession(session), ...window })
}

function runnerWindow(session: Session, config: Config): { name: string; command: string[] } {
  return {
    name: 'runner',
    command: [process.execPath, ...process.execArgv, path.join(config.install, 'bin/runner.ts'), session.id],
  }
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
