import { readConfig } from '#host/config'
import { formatCount } from '#host/text.ts'
import { listSetups, removeUnusedSetups } from '#runner'
import { defineCommand } from '../command.ts'
import { confirmAction, refuseAnyAgent } from '../input/confirm.ts'
import { prepareProject, requireRepository } from '../input/project.ts'
import { resolveSandbox } from '../input/sandbox-options.ts'
import { addUp, printSetups } from '../output/setup-list.ts'
import { formatBytes, print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Sets how dispatch prepares a repository: the commands that install its dependencies (npm ci, pip install, go mod download …),
and the ignored files that its tests need. With a .dispatch.json at the top of your checkout, the command shows it and asks
you to confirm it. Without one, it proposes one from the lock files and writes it when you agree.

The commands run in a clean copy when a session needs them, once for each content of the lock files. When the file changes,
you are asked again. Dispatch reads it only from your checkout, never from an agent's copy.

What the commands made is kept for later sessions: at most 20 times, 10 GB, and 30 days after it was last used.
`,
  options: {
    repo: { type: 'string', value: 'DIR', about: 'the repository (default: the current one)' },
    yes: { type: 'boolean', about: 'do not ask' },
    list: { type: 'boolean', about: 'list the dependencies that are installed, of all repositories, and their size' },
    prune: { type: 'boolean', about: 'remove those that no open session uses, and list them' },
    json: { type: 'boolean', about: 'with --list or --prune: print JSON instead of text' },
  },
  async run(values) {
    const config = readConfig()
    if (values.list && !values.prune) {
      const setups = await listSetups(config)
      if (values.json) print(JSON.stringify(setups))
      else printSetups(setups)
      return
    }
    await refuseAnyAgent('prepare', config)
    if (values.prune) {
      const removed = await removeUnusedSetups(config)
      if (values.json) print(JSON.stringify(removed))
      else print(`Removed ${formatCount(removed.length, 'setup')}, ${formatBytes(addUp(removed))}.`)
      return
    }
    const repository = await requireRepository(config, values.repo)
    // You can confirm the file also where a sandbox is required and missing, though no session can start there.
    const sandbox = await resolveSandbox(config, config.SANDBOX === 'required' ? 'auto' : undefined)
    const ask = async (question: string) => values.yes === true || confirmAction(question, 'prepare')
    print(await prepareProject({ config, repository, sandbox, ask }))
  },
})
