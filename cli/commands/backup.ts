import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { backUp } from '../backup/backup.ts'
import { readAlone } from '../backup/lease.ts'
import { findRecord } from '../backup/records.ts'
import { openTarget } from '../backup/target.ts'
import { verifyBackup } from '../backup/verify.ts'
import { defineCommand, UsageError } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { printBackup, printVerified } from '../output/backup-view.ts'
import { createProgressLine } from '../output/progress-line.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Copies into a folder what cannot be made again: the sessions with their work and their history, the queue, the projects and the
notifications. Sessions may run meanwhile. The next backup into the same folder copies only what has changed; the seven newest
are kept. \`dispatch restore\` brings one back.

Not copied: installed dependencies, caches, logs, the index, what belongs to running processes, and .env with your keys, unless you
ask for it. Sessions can hold secrets of your projects, so keep the folder as private as your home folder.

Exit 10 if something could not be read, 13 with --verify if the backup is damaged.
`,
  options: {
    verify: { type: 'boolean', about: 'read every file of the newest backup there, and compare it with its hash' },
    at: { type: 'string', value: 'TEXT', about: 'with --verify: a part of the name of the backup, such as 2026-11-30' },
    keep: { type: 'string', value: 'N', about: 'how many backups stay in the folder (default: 7)' },
    'with-secrets': { type: 'boolean', about: 'also .env and the kept token, in files that only you can read' },
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  forms: {
    options: { '<dir>': ['keep', 'with-secrets', 'json'], '<dir> --verify': ['verify', 'at', 'json'] },
    choose: ({ verify }) => (verify ? '<dir> --verify' : '<dir>'),
  },
  async run(values, [folder = '']) {
    const config = readConfig()
    const progress = createProgressLine(values.verify ? 'verifying' : 'copying')
    if (values.verify) {
      const paths = openTarget(folder)
      const { name, checked } = await readAlone(paths, async () => {
        const found = findRecord(paths, values.at)
        return { name: found.name, checked: await verifyBackup(paths, found.record, progress.show) }
      })
      progress.clear()
      const { damage, objects, bytes } = checked
      if (values.json) print(JSON.stringify({ name, isWhole: damage.length === 0, damage, objects, bytes }))
      else printVerified(name, checked)
      return damage.length === 0 ? exitCodes.ok : exitCodes.integrity
    }
    await refuseAgent('backup')
    const keptCount = /^[1-9]\d{0,3}$/.test(values.keep ?? '7') ? Number(values.keep ?? '7') : undefined
    if (keptCount === undefined) throw new UsageError(`--keep must be a number from 1 to 9999: "${values.keep}"`)
    const hasSecrets = values['with-secrets'] ?? false
    const report = await backUp(config, folder, { hasSecrets, keptCount, onProgress: progress.show })
    progress.clear()
    if (values.json) print(JSON.stringify(report))
    else printBackup(report, hasSecrets)
    return report.skipped.some(({ isLost }) => isLost) ? exitCodes.storage : exitCodes.ok
  },
})
