import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pickVariables } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { runInTerminal } from '#host/exec.ts'
import { UsageError } from '../command.ts'
import { createHalfMadeError, type ProposedIssue, parseProposal, type SplitRecord } from './proposal.ts'

/** What a person has made of a proposal. The file is theirs until it is accepted. */
export interface EditedProposal {
  issues: ProposedIssue[]
  file: string
}

/**
 * Have a person change a proposal in their editor; what is kept of it does not change. Exit 2 for what is no proposal any more, 5 once
 * it is partly made on GitHub.
 */
export async function editProposal(record: SplitRecord): Promise<EditedProposal> {
  if (record.state !== 'proposed') throw createHalfMadeError(record)
  const { VISUAL, EDITOR } = pickVariables(['VISUAL', 'EDITOR'])
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-split-'))
  const file = path.join(folder, 'proposal.json')
  fs.writeFileSync(file, `${JSON.stringify({ issues: record.issues }, null, 2)}\n`, { mode: 0o600 })
  // As git does: the variable may have arguments.
  const { exitCode } = await runInTerminal('/bin/sh', ['-c', `${VISUAL || EDITOR || 'vi'} "$1"`, 'sh', file])
  if (exitCode !== 0)
    throw new DispatchError(`the editor ended with ${exitCode}`, {
      exitCode: exitCodes.dependency,
      remedy: 'Nothing was changed. Set EDITOR to your editor.',
    })
  const parsed = parseProposal(fs.readFileSync(file, 'utf8'))
  if ('problem' in parsed)
    throw new UsageError(
      `${file} is no proposal: ${parsed.problem}`,
      'Nothing was changed. What you wrote stays in that file; the next --edit begins with the proposal again.',
    )
  return { issues: parsed.issues, file }
}

/** Remove the file of an edit that was accepted. */
export function removeEdit({ file }: EditedProposal): void {
  fs.rmSync(path.dirname(file), { recursive: true, force: true })
}
