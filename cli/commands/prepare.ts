import { readConfig } from '#host/config'
import { listInstallations } from '#runner/dependencies/index.ts'
import { listPackStores } from '#session/repository'
import { defineCommand } from '../command.ts'
import { confirmAction, refuseAnyAgent } from '../input/confirm.ts'
import { prepareProject, requireRepository } from '../input/project.ts'
import { resolveSandbox } from '../input/sandbox-options.ts'
import { printInstallations } from '../output/installation-list.ts'
import { print } from '../output/terminal.ts'
import { prune } from '../prune.ts'

export const command = defineCommand({
  about: `
Sets how dispatch prepares a repository: the commands that install its dependencies (npm ci, pip install, go mod download …),
and the ignored files that its tests need. With a .dispatch.json at the top of your checkout, the command shows it and asks
you to confirm it. Without one, it proposes one from the lock files and writes it when you agree.

The commands run in a clean copy when a session needs them, once for each content of the lock files. When the file changes,
you are asked again. Dispatch reads it only from your checkout, never from an agent's copy.

What the commands made is kept for later sessions: at most 20 times, 10 GB, and 30 days after it was last used. So is the history
of each repository, which its sessions share, for 30 days after the last one has started.
`,
  options: {
    repo: { type: 'string', value: 'DIR', about: 'the repository (default: the current one)' },
    yes: { type: 'boolean', about: 'do not ask' },
    list: { type: 'boolean', about: 'list what is kept of all repositories, and its size' },
    prune: { type: 'boolean', about: 'list what no open session uses, ask, and remove it (in scripts: --yes)' },
    json: { type: 'boolean', about: 'with --list or --prune: print JSON instead of text' },
  },
  forms: {
    options: { '': ['repo', 'yes'], '--list': ['list', 'json'], '--prune': ['prune', 'list', 'yes', 'json'] },
    choose: ({ list, prune }) => (prune ? '--prune' : list ? '--list' : ''),
  },
  async run(values) {
    const config = readConfig()
    if (values.list && !values.prune) {
      const [installations, repositories] = [await listInstallations(config), listPackStores(config.home)]
      if (values.json) print(JSON.stringify({ installations, repositories }))
      else printInstallations(installations, repositories)
      return
    }
    await refuseAnyAgent('prepare', config)
    if (values.prune) {
      await prune(config, { isConfirmed: values.yes ?? false, isJson: values.json ?? false })
      return
    }
    const repository = await requireRepository(config, values.repo)
    // You can confirm the file also where a sandbox is required and missing, though no session can start there.
    const sandbox = await resolveSandbox(config, config.SANDBOX === 'required' ? 'auto' : undefined)
    const ask = async (question: string) => values.yes === true || confirmAction(question, 'prepare')
    print(await prepareProject({ config, repository, sandbox, ask }))
  },
})
