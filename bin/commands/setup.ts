import { createInterface } from 'node:readline/promises'
import {
  addTrust,
  DispatchError,
  exits,
  loginOf,
  makePrivate,
  readClaudeConfig,
  readConfig,
  trusts,
} from '../../host/index.ts'
import { defineCommand } from '../command.ts'
import { paint, print } from '../terminal.ts'

export const command = defineCommand({
  about: `
With your own claude login, claude asks once for each folder whether you trust it. setup adds one entry, for our workspace,
to your .claude.json: it shows the change and asks. With an API key or a token in the environment nothing needs to be done.
`,
  options: {
    yes: { type: 'boolean', about: 'do not ask' },
  },
  async run(values) {
    const config = readConfig()
    const login = loginOf(config.claude)
    makePrivate(config.workspace)
    if (login.kind === 'key')
      return done(
        `A key or token is in the environment: claude runs with a config of its own in ${config.claude}. Nothing of yours is touched.`,
      )
    if (trusts(readClaudeConfig(login.configFile), config.workspace))
      return done(`${login.configFile} trusts ${config.workspace} already. Nothing to do.`)
    print(`In ${login.configFile}, under "projects", this is added; nothing else changes:\n`)
    print(paint('green', `  + "${config.workspace}": { "hasTrustDialogAccepted": true }\n`))
    if (!values.yes && !(await agreed())) return done('Nothing was changed.')
    addTrust(login.configFile, config.workspace)
    return done('Done. Every session lies in that folder, so this one entry serves them all.')
  },
})

async function agreed(): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new DispatchError('setup asks before it writes, and there is no terminal to ask at', {
      exit: exits.usage,
      remedy: 'Say yes beforehand: dispatch setup --yes',
    })
  const asker = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await asker.question('Write it? [y/N] ')).trim())
  } finally {
    asker.close()
  }
}

function done(text: string): number {
  print(text)
  return exits.ok
}
