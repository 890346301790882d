import fs from 'node:fs'
import { readConfig } from '#host/config'
import { getTokenFile, removeToken } from '#host/model'
import { listChangedFiles, previewUninstall, resolveJournal, uninstallEntries } from '#host/user-config'
import { readAllViews } from '#session/status'
import { defineCommand } from '../command.ts'
import { getExternalFolder } from '../external-sessions.ts'
import { confirmAction, refuseAgent } from '../input/confirm.ts'
import { formatTable, paint, print } from '../output/terminal.ts'
import { printUserFileChanges } from '../output/user-files-view.ts'
import { offerRemoval } from '../service/actions.ts'

export const command = defineCommand({
  about: `
Undoes what \`dispatch setup\` changed in your own files. A file that nothing else has changed since gets its old bytes back;
from any other file, only what dispatch added is removed. It shows the change and asks. Your sessions and everything else in
DISPATCH_HOME stay.
`,
  options: { yes: { type: 'boolean', about: 'do not ask' } },
  async run(values) {
    const config = readConfig()
    await refuseAgent('uninstall', 'Run it yourself: it changes your own files.')
    const journal = resolveJournal(config.home)
    const previews = listChangedFiles(journal).map(file => ({ file, ...previewUninstall(journal, file) }))
    const pending = previews.filter(({ before, after }) => before !== after)
    if (previews.length === 0) print('dispatch has changed none of your files.')
    for (const preview of previews)
      if (!pending.includes(preview)) print(`${preview.file} no longer has what dispatch added.`)
    if (pending.length > 0) {
      print(`dispatch will undo its changes in:\n`)
      printUserFileChanges(pending)
    }
    if (previews.length > 0) {
      const running = (await readAllViews(config.workspace)).filter(({ runnerLiveness }) => runnerLiveness !== 'dead')
      if (running.length > 0) {
        print(paint('yellow', `Still running: ${running.map(({ session }) => session.id).join(', ')}`))
        print('They continue, but a claude that they start later may stop and ask whether it may trust the folder.')
        print('`dispatch stop --all` ends them.\n')
      }
      if (!values.yes && !(await confirmUninstall(running.length > 0))) {
        print('Nothing was changed.')
        return
      }
      for (const { file } of previews.toReversed()) await uninstallEntries(journal, file) // A new folder goes last.
      fs.rmSync(getExternalFolder(config.home), { recursive: true, force: true })
      print('Done.')
    }
    await offerRemoval(config, values.yes ?? false)
    if (fs.existsSync(getTokenFile(config.home))) {
      const isGo = values.yes || (await confirmAction('Remove the kept token of claude?', 'uninstall'))
      if (isGo) removeToken(config.home)
      print(isGo ? 'The kept token of claude is removed.' : 'The kept token of claude stays.')
    }
    print('\nThese folders stay; keep or remove them as you like:')
    print(
      formatTable([
        [`  ${config.workspace}`, 'every session, with its outputs and its verdict'],
        [`  ${config.home}`, 'settings, logs, a configuration for claude, the workspace'],
        [`  ${config.cloneFolder}`, 'the program, with its versions in a folder beside it that ends in .versions'],
      ]),
    )
    print('To remove one: `dispatch stop --all`, then `rm -rf` the folder.')
  },
})

async function confirmUninstall(areRunning: boolean): Promise<boolean> {
  if (areRunning && !(await confirmAction('Continue while they run?', 'uninstall'))) return false
  return confirmAction('Undo it?', 'uninstall')
}
