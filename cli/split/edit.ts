import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Config, pickVariables } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { runInTerminal } from '#host/exec.ts'
import { UsageError } from '../command.ts'
import { formatIssue } from '../issues/record.ts'
import { type ProposedIssue, parseProposal, type SplitRecord, writeSplit } from './proposal.ts'

/** Have a person change what was proposed, and keep that. Exit 5 once it is partly made on GitHub. */
export async function editProposal({ home }: Config, record: SplitRecord): Promise<SplitRecord> {
  if (record.state === 'proposed') return writeSplit(home, record, { issues: await editIssues(record.issues) })
  throw new DispatchError(`the proposal for ${formatIssue(record)} is half made on GitHub, so it cannot be changed`, {
    exitCode: exitCodes.conflict,
    remedy: `Finish it without --edit, then edit the issues there: dispatch split ${record.number} --accept`,
  })
}

/** Have a person change a proposal in their editor. Exit 2 for what is no proposal any more; nothing is lost then. */
export async function editIssues(issues: ProposedIssue[]): Promise<ProposedIssue[]> {
  const { VISUAL, EDITOR } = pickVariables(['VISUAL', 'EDITOR'])
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-split-'))
  const file = path.join(folder, 'proposal.json')
  fs.writeFileSync(file, `${JSON.stringify({ issues }, null, 2)}\n`, { mode: 0o600 })
  // As git does: the variable may have arguments.
  const { exitCode } = await runInTerminal('/bin/sh', ['-c', `${VISUAL ?? EDITOR ?? 'vi'} "$1"`, 'sh', file])
  if (exitCode !== 0)
    throw new DispatchError(`the editor ended with ${exitCode}`, {
      exitCode: exitCodes.dependency,
      remedy: 'Nothing was changed. Set EDITOR to your editor.',
    })
  const parsed = parseProposal(fs.readFileSync(file, 'utf8'))
  if ('problem' in parsed)
    throw new UsageError(
      `${file} is no proposal: ${parsed.problem}`,
      'Nothing was changed, and what you wrote is there.',
    )
  fs.rmSync(folder, { recursive: true })
  return parsed.issues
}
