import { readConfig } from '#host/config'
import { quoteForShell } from '#host/shell-quote.ts'
import { defineCommand, UsageError } from '../command.ts'
import { abortAtEndSignal } from '../end-signal.ts'
import { refuseAgent } from '../input/confirm.ts'
import { print } from '../output/terminal.ts'
import { printRollback, printUpdate } from '../output/update-view.ts'

export const command = defineCommand({
  about: `
Installs the newest release: the highest tag such as v1.2.3 of the clone's remote, or the code in FILE, a tarball. It is put into a
folder beside the clone, with its own dependencies, and checked: it plays a rehearsal and reads this home. Only then dispatch
switches to it, and starts the daemon and the page again. Until then, and if anything fails, the installed version goes on.

Sessions go on with the code that they began with. The version before is kept, for --rollback. A clone with changes or commits that
are on no remote is refused.
`,
  options: {
    check: { type: 'boolean', about: 'only say whether there is something newer' },
    to: { type: 'string', value: 'TAG', about: 'this tag instead, also an older one or a pre-release' },
    rollback: { type: 'boolean', about: 'go back to the version before, after asking it what it can read' },
    force: {
      type: 'boolean',
      about: 'with --rollback: also if it cannot read the settings, the queue or the notifications',
    },
    'read-home': {
      type: 'boolean',
      isInternal: true,
      about: 'print what this version can read of the home: for another version',
    },
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  async run(values, [tarball]) {
    if (values['read-home']) {
      const { readHome } = await import('../update/read-home.ts')
      print(JSON.stringify(await readHome()))
      return
    }
    await refuseAgent('update')
    if ([values.rollback, values.to !== undefined, tarball !== undefined].filter(Boolean).length > 1)
      throw new UsageError('a tarball, --to and --rollback exclude each other')
    if (values.rollback && values.check) throw new UsageError('--check does not go with --rollback')
    if (values.force && !values.rollback) throw new UsageError('--force goes with --rollback')
    const config = readConfig()
    const say = (text: string) => (values.json ? undefined : print(text))
    const steps = { say, end: abortAtEndSignal() }
    if (values.rollback) {
      const { rollBack } = await import('../update/rollback.ts')
      const report = await rollBack(config, values.force ?? false, steps)
      if (values.json) print(JSON.stringify(report))
      else printRollback(report)
      return
    }
    const { update } = await import('../update/update.ts')
    const report = await update(config, { tag: values.to, tarball, isCheck: values.check ?? false }, steps)
    if (values.json) print(JSON.stringify(report))
    else printUpdate(report, formatInstallCommand(values.to, tarball))
  },
})

function formatInstallCommand(tag: string | undefined, tarball: string | undefined): string {
  const words = tag !== undefined ? ['--to', tag] : tarball !== undefined ? [tarball] : []
  return ['dispatch update', ...words.map(quoteForShell)].join(' ')
}
