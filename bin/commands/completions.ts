import path from 'node:path'
import { DispatchError, exits, namesIn } from '../../host/index.ts'
import { findSession, isId, isWorkerName } from '../../session/index.ts'
import { defineCommand, type Entry } from '../command.ts'
import { lenientConfig } from '../lenient.ts'
import { type Known, kindsIn, type Shell, scripts } from '../shells.ts'
import { print } from '../terminal.ts'
import { commands, task } from './index.ts'

export const command = defineCommand({
  about: `
Prints what makes Tab complete commands, options, ids of sessions and names of workers. It is made of the same table as
--help, so make it anew when dispatch has changed.

  bash   in ~/.bashrc:                  eval "$(dispatch completions bash)"
  zsh    in ~/.zshrc, below compinit:   eval "$(dispatch completions zsh)"
  fish   dispatch completions fish > ~/.config/fish/completions/dispatch.fish

With the package bash-completion, this is the place for bash:

  ~/.local/share/bash-completion/completions/dispatch
`,
  async run(_, [asked = '']) {
    const live = words(asked)
    if (live !== undefined) for (const word of live) print(word)
    else process.stdout.write(await script(asked))
    return exits.ok
  },
})

/** What the scripts ask for while somebody types: `sids`, or `who:<sid>`. Only names that are safe in any shell. */
function words(asked: string): string[] | undefined {
  if (asked !== 'sids' && !asked.startsWith('who:')) return undefined
  const { workspace } = lenientConfig()
  if (asked === 'sids') return namesIn(workspace).filter(isId).reverse()
  const { paths } = findSession(workspace, asked.slice('who:'.length))
  return ['orchestrator', 'runner', ...namesIn(path.join(paths.workers)).filter(isWorkerName)]
}

async function script(asked: string): Promise<string> {
  if (!Object.hasOwn(scripts, asked))
    throw new DispatchError(`there are no completions for "${asked}"`, {
      exit: exits.usage,
      remedy: `There are: ${Object.keys(scripts).join(', ')}.`,
    })
  const known = await Promise.all(commands.map(entry => knownOf(entry, entry.name)))
  return scripts[asked as Shell](known, await knownOf(task, 'task'))
}

/** One command as a shell sees it. */
async function knownOf(entry: Entry, name: string): Promise<Known> {
  const { options = {} } = await entry.load()
  return {
    name,
    summary: entry.summary,
    kinds: kindsIn(entry.words),
    options: [
      ...Object.entries(options).map(([option, { value, about }]) => ({ name: option, value, about })),
      { name: 'help', value: undefined, about: 'what it does and what it takes' },
    ],
  }
}
