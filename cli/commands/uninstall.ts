import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { listChangedFiles, previewUninstall, resolveJournal, uninstallEntries } from '#host/user-config'
import { readAllViews } from '#session/status'
import { defineCommand } from '../command.ts'
import { removeExternalFolder } from '../external-sessions.ts'
import { confirmAction, refuseAgent } from '../input/confirm.ts'
import { paintDiff } from '../output/diff.ts'
import { paint, print } from '../output/terminal.ts'
export const command = defineCommand({
  about: `
Takes back what \`dispatch setup\` wrote in files of yours: byte for byte while nobody else has written there since, otherwise
our own values and nothing else. It shows the change and asks. Your sessions, and all else in DISPATCH_HOME, stay.
`,
  options: { yes: { type: 'boolean', about: 'do not ask' } },
  async run(values) {
    const config = readConfig()
    await refuseAgent('uninstall', 'Run it yourself: it writes in files of yours.')
    const journal = resolveJournal(config.home)
    const files = listChangedFiles(journal).map(file => ({ file, ...previewUninstall(journal, file) }))
    const changed = files.filter(({ before, after }) => before !== after)
    if (files.length === 0) print('dispatch has changed nothing in any file of yours.')
    for (const { file } of files.filter(one => !changed.includes(one))) print(`${file}: ours is gone from it already.`)
    if (changed.length > 0) print(`dispatch will take back what it wrote in:\n`)
    for (const { file } of changed) print(`  ${file}`)
    for (const { file, before, after } of changed) print(`\n${paintDiff(file, before?.toString(), after?.toString())}`)
    if (files.length > 0) {
      print()
      const live = await listLiveSessions(config.workspace)
      if (live.length > 0) printLiveSessions(live)
      if (!values.yes && !(await confirmUninstall(live))) {
        print('Nothing was changed.')
        return exitCodes.ok
      }
      for (const { file } of files) await uninstallEntries(journal, file)
      removeExternalFolder(config.home)
      print('Done.')
    }
    print(`\nWhat is left is yours to keep or to remove:
  ${config.workspace}   every session, with its outputs and its verdict
  ${config.home}   settings, logs, claude's private config, and the workspace too
  ${config.installFolder}   the program
To remove it: \`dispatch stop --all\`, then \`rm -rf\` the folder.`)
    return exitCodes.ok
  },
})

function printLiveSessions(live: string[]): void {
  print(paint('yellow', `Still running: ${live.join(', ')}`))
  print(
    'They go on; but a claude that they start from now on may ask whether it may trust the folder, and wait for ever.',
  )
  print('`dispatch stop --all` ends them.\n')
}

async function confirmUninstall(live: string[]): Promise<boolean> {
  if (live.length > 0 && !(await confirmAction('Go on although they run?', 'uninstall'))) return false
  return confirmAction('Take it back?', 'uninstall')
}

/** Sessions with a runner that lives or may live. */
async function listLiveSessions(workspace: string): Promise<string[]> {
  return (await readAllViews(workspace))
    .filter(({ runnerLiveness }) => runnerLiveness !== 'dead')
    .map(({ session }) => session.id)
}
