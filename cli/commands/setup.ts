import { prepareHome, readConfig } from '#host/config'
import { makePrivateFolder } from '#host/fs'
import { installEntries, previewInstall, resolveJournal } from '#host/user-config'
import { defineCommand } from '../command.ts'
import { getExternalFolder } from '../external-sessions.ts'
import { confirmAction, refuseAgent } from '../input/confirm.ts'
import { print } from '../output/terminal.ts'
import { printCommentWarning, printUserFileChanges } from '../output/user-files-view.ts'
import { canInstallService } from '../service/install.ts'
import { planSetup } from '../setup/plan.ts'
import { keepTypedToken } from '../setup/token.ts'

export const command = defineCommand({
  about: `
With your own claude login, claude asks once for each folder whether you trust it. This command adds one entry for the
workspace of dispatch to your .claude.json. With an API key or token in the environment, that is not needed.

It shows each file and the change, and asks before it writes. Everything else in the files stays byte for byte, and
\`dispatch uninstall\` undoes the change.
`,
  options: {
    hooks: {
      type: 'boolean',
      about: 'also notify you of claude sessions that dispatch did not start: two hooks in your settings.json',
    },
    rules: {
      type: 'boolean',
      about: 'also give the four rules for agents to all your claude sessions: one import in your CLAUDE.md',
    },
    token: {
      type: 'boolean',
      about: 'keep a token of `claude setup-token` for unattended sessions: it is valid for a year',
    },
    yes: { type: 'boolean', about: 'do not ask' },
  },
  forms: {
    options: { '': ['hooks', 'rules', 'yes'], '--token': ['token'] },
    choose: ({ token }) => (token ? '--token' : ''),
  },
  async run(values) {
    const config = readConfig()
    await refuseAgent('setup', 'Run it yourself: it changes your own files.')
    if (values.token) {
      await keepTypedToken(config.home)
      return
    }
    prepareHome(config)
    makePrivateFolder(config.workspace)
    const journal = resolveJournal(config.home)
    const { changes, notes } = planSetup(config, { hooks: values.hooks ?? false, rules: values.rules ?? false })
    for (const note of notes) print(note)
    const previews = changes.map(change => ({ ...change, ...previewInstall(journal, change.file, change.addition) }))
    const pending = previews.filter(({ before, after }) => before !== after)
    for (const preview of previews) if (!pending.includes(preview)) print(`${preview.file} already has it.`)
    if (pending.length > 0) {
      print(`dispatch will change ${pending.length === 1 ? 'this file' : 'these files'} and no other:\n`)
      printUserFileChanges(pending)
      for (const preview of pending) printCommentWarning(preview)
      if (!values.yes && !(await confirmAction('Write it?', 'setup'))) {
        print('Nothing was changed.')
        return
      }
      for (const { file, addition } of pending) await installEntries(journal, file, addition)
    }
    if (values.hooks) makePrivateFolder(getExternalFolder(config.home))
    print(pending.length > 0 ? 'Done. `dispatch uninstall` undoes it.' : 'Nothing to do.')
    if (pending.length > 0 && (await canInstallService(config)))
      print('To have tasks go on after a reboot by themselves: dispatch service install')
  },
})
