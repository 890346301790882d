import { readConfig } from '#host/config'
import { defineCommand } from '../command.ts'
import { confirmAction, refuseAnyAgent } from '../input/confirm.ts'
import { prepareProject, requireRepository } from '../input/project.ts'
import { resolveSandbox } from '../input/sandbox-options.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Sets how dispatch prepares a repository: the commands that install its dependencies (npm ci, pip install, go mod download …),
and the ignored files that its tests need. With a .dispatch.json at the top of your checkout, the command shows it and asks
you to confirm it. Without one, it proposes one from the lock files and writes it when you agree.

The commands run in a clean copy when a session needs them, once for each content of the lock files. When the file changes,
you are asked again. Dispatch reads it only from your checkout, never from an agent's copy.
`,
  options: {
    repo: { type: 'string', value: 'DIR', about: 'the repository (default: the current one)' },
    yes: { type: 'boolean', about: 'do not ask' },
  },
  async run(values) {
    const config = readConfig()
    await refuseAnyAgent('prepare', config)
    const repository = await requireRepository(config, values.repo)
    // You can confirm the file also where a sandbox is required and missing, though no session can start there.
    const sandbox = await resolveSandbox(config, config.SANDBOX === 'required' ? 'auto' : undefined)
    const ask = async (question: string) => values.yes === true || confirmAction(question, 'prepare')
    print(await prepareProject({ config, repository, sandbox, ask }))
  },
})
