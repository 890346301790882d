import { exitCodes } from '#host/error.ts'
import { auditSession } from '#session/audit'
import { defineCommand } from '../command.ts'
import { findAuditFolder, parseLogHead } from '../input/audit-target.ts'
import { printAudit } from '../output/audit-view.ts'
import { print } from '../output/terminal.ts'

export const command = defineCommand({
  about: `
Verifies a session's record: the hash chain of its log, its start, the seal, the evidence, the judge's packet, the verdict,
the files in outputs/ and git's index there. It lists every problem, and changes and runs nothing. The folder may be a copy,
on any machine. With the log anchor from the notification of the verdict, --head also detects a record that was forged as a
whole. Exit 0 when the record is sound, 13 when it is damaged. Without an id: the newest session.
`,
  usage: 'audit [<sid> | <folder>] [--head HASH] [--json]',
  options: {
    head: { type: 'string', value: 'HASH', about: 'the log anchor on your phone, or the whole head of the log' },
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  async run(values, [name]) {
    const head = values.head === undefined ? undefined : parseLogHead(values.head)
    const report = await auditSession(findAuditFolder(name), head)
    if (values.json) print(JSON.stringify(report))
    else printAudit(report)
    return report.isSound ? exitCodes.ok : exitCodes.integrity
  },
})
