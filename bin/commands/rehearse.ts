import type { Command } from './index.ts'

const help = `
usage: dispatch rehearse [scenario] [--list] [--keep]

The whole path with scripted models: the real dispatch, claude, tmux, git, hooks, checks and judge client, against a server
on this machine that plays the models. Free and offline. --list names the scenarios; --keep leaves the session's folder.
`

export const command: Command = {
  help,
  async run(words) {
    const { rehearse } = await import('../../rehearsal/index.ts')
    return rehearse(words)
  },
}
