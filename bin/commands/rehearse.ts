import type { Command } from './index.ts'

const help = `
usage: dispatch rehearse [scenario] [--list]

The whole path with scripted models: the real dispatch, claude, tmux, git, hooks, checks and judge client, against a server
on this machine that plays the models. Free and offline. --list names the scenarios. The session's folder stays, and
you are told where.
`

export const command: Command = {
  help,
  async run(words) {
    const { rehearse } = await import('../../rehearsal/index.ts')
    return rehearse(words)
  },
}
