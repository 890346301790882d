import { DispatchError, exits, readConfig, tmuxOf } from '../../host/index.ts'
import { tmuxSession } from '../../runner/index.ts'
import { chosen } from '../chosen.ts'
import { defineCommand } from '../command.ts'

export const command = defineCommand({
  about: `
Your terminal becomes the session's: the orchestrator by default, or "runner" or a worker's name. Ctrl-b d leaves it as it
is, Ctrl-b n goes to the next window. Without an id: the newest session.
`,
  async run(_, words) {
    const config = readConfig()
    const session = chosen(config, words[0])
    const tmux = tmuxOf(config.home)
    const windows = (await tmux.panes()).filter(pane => pane.session === tmuxSession(session)).map(pane => pane.window)
    const window = words[1] ?? 'orchestrator'
    if (!windows.includes(window)) {
      const remedy =
        windows.length > 0
          ? `It has: ${windows.join(', ')}.`
          : `Nothing of it runs any more. \`dispatch show ${session.id}\` tells how it ended; \`claude --resume ${session.opening.claude.session}\` takes up the talk.`
      throw new DispatchError(`session ${session.id} has no window "${window}"`, { exit: exits.notFound, remedy })
    }
    if (!process.stdin.isTTY)
      throw new DispatchError('attach needs a terminal', {
        exit: exits.usage,
        remedy: `From a script, use \`dispatch watch ${session.id}\`.`,
      })
    return tmux.attach(tmuxSession(session), window)
  },
})
