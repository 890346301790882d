import { killProcessTree } from '#host/process'
import type { RunnerContext } from './context.ts'
import { getTmuxSessionName } from './terminal.ts'

/** End every process of a session but its runner and this one. */
export async function endAgents({ session, tmux }: Pick<RunnerContext, 'session' | 'tmux'>): Promise<void> {
  const mark = `DISPATCH_SESSION=${session.id}`
  const terminal = getTmuxSessionName(session)
  for (const pane of await tmux.listPanes())
    if (pane.session === terminal && pane.window !== 'runner' && !pane.isDead) await killProcessTree(pane.pid, mark)
  await killProcessTree(0, mark)
}
