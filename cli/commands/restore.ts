import path from 'node:path'
import { readConfig, readDefaultConfig } from '#host/config'
import { restore } from '../backup/restore.ts'
import { defineCommand, UsageError } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { printRestored } from '../output/backup-view.ts'
import { createProgressLine } from '../output/progress-line.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Writes a backup of \`dispatch backup\` into DISPATCH_HOME, or into the folder of --into. Every file is compared with its hash before
anything is written; a damaged one is exit 13. A home that has sessions, or items in its queue, is refused, unless --merge adds
what it lacks. What is there is never overwritten.

No process is restored: a session that ran reads as interrupted, and \`dispatch resume\` goes on with it. So that nothing goes on by
itself, dispatch is paused if anything would, until you run \`dispatch unpause\`.
`,
  options: {
    into: { type: 'string', value: 'HOME', about: 'another home than DISPATCH_HOME; use it with DISPATCH_HOME=HOME' },
    merge: { type: 'boolean', about: 'add to a home that has sessions' },
    at: {
      type: 'string',
      value: 'TEXT',
      about: 'a part of the name of a backup, such as 2026-11-30 (default: the newest)',
    },
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  async run(values, [folder = '']) {
    await refuseAgent('restore')
    if (values.into === '') throw new UsageError('--into needs a folder')
    // The settings of another home do not matter here.
    const config =
      values.into === undefined ? readConfig() : readDefaultConfig({ DISPATCH_HOME: path.resolve(values.into) })
    let progress: ReturnType<typeof createProgressLine> | undefined
    let shownWhat = ''
    const report = await restore(config, folder, {
      mayMerge: values.merge ?? false,
      ...(values.at === undefined ? {} : { at: values.at }),
      onProgress: (what, done, all) => {
        if (what !== shownWhat) {
          progress?.clear()
          progress = createProgressLine(what)
          shownWhat = what
        }
        progress?.show(done, all)
      },
    })
    progress?.clear()
    if (values.json) print(JSON.stringify(report))
    else printRestored(report)
    return undefined
  },
})
