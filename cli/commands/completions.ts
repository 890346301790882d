import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '#host/config'
import { defineCommand, UsageError } from '../command.ts'

const scripts: Record<string, string> = { bash: 'bash.sh', zsh: 'zsh.sh', fish: 'fish.fish' }

export const command = defineCommand({
  about: `
Prints a completion script for your shell. Tab then completes commands, options, files, session ids and worker names. The
script asks dispatch at each Tab, so you need not regenerate it after an update.

  bash   in ~/.bashrc:                  eval "$(dispatch completions bash)"
  zsh    in ~/.zshrc, below compinit:   eval "$(dispatch completions zsh)"
  fish   dispatch completions fish > ~/.config/fish/completions/dispatch.fish

With the package bash-completion, bash can also load the script from this file:

  ~/.local/share/bash-completion/completions/dispatch
`,
  choices: { shell: () => Object.keys(scripts) },
  async run(_, [shell = '']) {
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined
    if (script === undefined)
      throw new UsageError(
        `there are no completions for "${shell}"`,
        `There are completions for ${Object.keys(scripts).join(', ')}.`,
      )
    process.stdout.write(fs.readFileSync(path.join(installFolder, 'cli/completions', script)))
  },
})
