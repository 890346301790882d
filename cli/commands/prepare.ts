import { readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findRepository } from '#host/git'
import {
  confirmProject,
  isProjectConfirmed,
  Project,
  projectFileName,
  proposeProject,
  readProject,
} from '#host/project'
import { defineCommand } from '../command.ts'
import { confirmAction, refuseAnyAgent } from '../input/confirm.ts'
import { checkProjectFiles, listProjectWarnings, printProjectFile, writeProjectFile } from '../input/project-config.ts'
import { resolveSandbox } from '../input/sandbox-options.ts'
import { paint, print } from '../output/terminal.ts'
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
    const repository = await findRepository(values.repo, [config.installFolder, config.home])
    if (!repository)
      throw new DispatchError('this folder lies in no git repository', {
        exitCode: exitCodes.usage,
        remedy: 'Go into one, or name it: dispatch prepare --repo DIR.',
      })
    if (`${repository.path}/`.startsWith(`${config.home}/`))
      throw new DispatchError(`${repository.path} lies in dispatch's own folder, where agents write`, {
        exitCode: exitCodes.usage,
        remedy: 'Name a checkout of yours: dispatch prepare --repo DIR.',
      })
    // A missing sandbox keeps a session from starting where one is required; it does not keep you from confirming.
    const sandbox = await resolveSandbox(config, config.SANDBOX === 'required' ? 'auto' : undefined)
    const found = readProject(repository.path)
    if (found) await checkProjectFiles(found, repository)
    const remarks = found ? await listProjectWarnings(found, repository) : []
    if (found && isProjectConfirmed(config.home, repository.path, found.sha256)) {
      printProjectFile(found, sandbox)
      for (const remark of remarks) print(paint('yellow', `  ${remark}`))
      print('\nYou have confirmed exactly this. Nothing to do.')
      return exitCodes.ok
    }
    if (found) {
      printProjectFile(found, sandbox)
      for (const remark of remarks) print(paint('yellow', `  ${remark}`))
      if (!(await confirmPrepare(values.yes, 'Yes to exactly this file?'))) return exitRefused()
      confirmProject(config.home, repository.path, found.sha256)
      print('Confirmed. You are asked again when it changes.')
      return exitCodes.ok
    }
    const proposal = await proposeProject(repository)
    if (!proposal) {
      print(`Nothing in ${repository.path} is known to need dependencies. If it does, say how in ${projectFileName}:`)
      print('\n  { "setup": ["make deps"], "lockfiles": ["deps.lock"], "files": [".env.test"] }\n')
      return exitCodes.ok
    }
    print(`Proposed, from what lies in ${repository.path}:\n`)
    for (const line of proposal.reasons) print(`  ${line}`)
    print()
    const file = `${repository.path}/${projectFileName} (new)`
    printProjectFile({ file, project: Project.parse(proposal.project) }, sandbox)
    if (!(await confirmPrepare(values.yes, 'Write this file, and run these commands when work begins?')))
      return exitRefused()
    const written = writeProjectFile(repository, proposal.project)
    confirmProject(config.home, repository.path, written.sha256)
    print(`Written: ${written.file}. Commit it if others should have it too.`)
    return exitCodes.ok
  },
})

async function confirmPrepare(beforehand: boolean | undefined, question: string): Promise<boolean> {
  return beforehand || confirmAction(question, 'prepare')
}

function exitRefused(): number {
  print(paint('dim', 'Nothing was changed.'))
  return exitCodes.ok
}
