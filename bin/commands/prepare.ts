import {
  confirm,
  DispatchError,
  exits,
  findRepository,
  isConfirmed,
  Project,
  projectFile,
  propose,
  readConfig,
  readProject,
} from '../../host/index.ts'
import { defineCommand } from '../command.ts'
import { agreed, refuseAnyAgent } from '../confirm.ts'
import { sandboxFor } from '../enclosed.ts'
import { refuseFiles, remarksOn, showProject, writeProject } from '../project.ts'
import { paint, print } from '../terminal.ts'

export const command = defineCommand({
  about: `
What the work on a repository needs before its checks mean anything: commands that fetch its dependencies (npm ci, pip
install, go mod download …), and files that git ignores and the tests need. Without .dispatch.json at the top of your
checkout, one is proposed from the lock files there, and written when you say yes. With one, it is shown and confirmed.

The commands run once for each content of the lock files, in a clean copy, when the next session needs them. You are asked
again when the file changes. It is read from your checkout only, never from what an agent works on.
`,
  options: {
    repo: { type: 'string', value: 'DIR', about: 'the repository (default: the one you are in)' },
    yes: { type: 'boolean', about: 'do not ask' },
  },
  async run(values) {
    const config = readConfig()
    await refuseAnyAgent('prepare', 'Run it yourself, in a terminal that no agent has opened.', config)
    const repository = await findRepository(values.repo, [config.install, config.home])
    if (!repository)
      throw new DispatchError('this folder lies in no git repository', {
        exit: exits.usage,
        remedy: 'Go into one, or name it: dispatch prepare --repo DIR.',
      })
    if (`${repository.path}/`.startsWith(`${config.home}/`))
      throw new DispatchError(`${repository.path} lies in dispatch's own folder, where agents write`, {
        exit: exits.usage,
        remedy: 'Name a checkout of yours: dispatch prepare --repo DIR.',
      })
    // A missing sandbox keeps a session from starting where one is required; it does not keep you from confirming.
    const sandbox = await sandboxFor(config, config.SANDBOX === 'required' ? 'auto' : undefined)
    const found = readProject(repository.path)
    if (found) await refuseFiles(found, repository)
    const remarks = found ? await remarksOn(found, repository) : []
    if (found && isConfirmed(config.home, repository.path, found.sha256)) {
      showProject(found, sandbox)
      for (const remark of remarks) print(paint('yellow', `  ${remark}`))
      print('\nYou have confirmed exactly this. Nothing to do.')
      return exits.ok
    }
    if (found) {
      showProject(found, sandbox)
      for (const remark of remarks) print(paint('yellow', `  ${remark}`))
      if (!(await saidYes(values.yes, 'Yes to exactly this file?'))) return refused()
      confirm(config.home, repository.path, found.sha256)
      print('Confirmed. You are asked again when it changes.')
      return exits.ok
    }
    const proposal = await propose(repository)
    if (!proposal) {
      print(`Nothing in ${repository.path} is known to need dependencies. If it does, say how in ${projectFile}:`)
      print('\n  { "setup": ["make deps"], "lockfiles": ["deps.lock"], "files": [".env.test"] }\n')
      return exits.ok
    }
    print(`Proposed, from what lies in ${repository.path}:\n`)
    for (const line of proposal.because) print(`  ${line}`)
    print()
    const file = `${repository.path}/${projectFile} (new)`
    showProject({ file, project: Project.parse(proposal.project) }, sandbox)
    if (!(await saidYes(values.yes, 'Write this file, and run these commands when work begins?'))) return refused()
    const written = writeProject(repository, proposal.project)
    confirm(config.home, repository.path, written.sha256)
    print(`Written: ${written.file}. Commit it if others should have it too.`)
    return exits.ok
  },
})

async function saidYes(beforehand: boolean | undefined, question: string): Promise<boolean> {
  return beforehand || agreed(question, 'prepare')
}

function refused(): number {
  print(paint('dim', 'Nothing was changed.'))
  return exits.ok
}
