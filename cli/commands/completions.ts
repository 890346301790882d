import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { listNames } from '#host/fs'
import { findSession, isSessionId, isWorkerName } from '#session'
import { defineCommand } from '../command.ts'
import { complete, type Table } from '../completions/complete.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { print } from '../output/terminal.ts'

const scripts: Record<string, string> = { bash: 'bash.sh', zsh: 'zsh.sh', fish: 'fish.fish' }

export const command = defineCommand({
  about: `
Prints what makes Tab complete commands, options, files, ids of sessions and names of workers. The shell asks dispatch at
each Tab, so what it offers is always what this version knows.

  bash   in ~/.bashrc:                  eval "$(dispatch completions bash)"
  zsh    in ~/.zshrc, below compinit:   eval "$(dispatch completions zsh)"
  fish   dispatch completions fish > ~/.config/fish/completions/dispatch.fish

With the package bash-completion, this is the place for bash:

  ~/.local/share/bash-completion/completions/dispatch
`,
  choices: { shell: () => Object.keys(scripts) },
  async run(_, [shell = '']) {
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined
    if (script === undefined)
      throw new DispatchError(`there are no completions for "${shell}"`, {
        exitCode: exitCodes.usage,
        remedy: `There are: ${Object.keys(scripts).join(', ')}.`,
      })
    process.stdout.write(fs.readFileSync(path.join(installFolder, 'cli/completions', script)))
    return exitCodes.ok
  },
})

/**
 * `dispatch completions -- <words>`, which the scripts call: each candidate on a line of its own, with a tab before what it
 * does; or the one line `:file` or `:folder`.
 */
export async function answerShell(words: string[], table: Table): Promise<number> {
  const found = await complete(words, table, { ids, who })
  if (typeof found === 'string') print(`:${found}`)
  else for (const { word, about } of found) print(about === '' ? word : `${word}\t${about}`)
  return exitCodes.ok
}

// --- internal: only names that are safe in any shell ---

function ids(): string[] {
  return listNames(readConfigOrDefaults().workspace).filter(isSessionId).reverse()
}

function who(id: string): string[] {
  try {
    const { paths } = findSession(readConfigOrDefaults().workspace, id)
    return ['orchestrator', 'runner', ...listNames(paths.workers).filter(isWorkerName)]
  } catch (error) {
    if (error instanceof DispatchError) return []
    throw error
  }
}
