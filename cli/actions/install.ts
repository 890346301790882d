import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readIfPresent, toStorageError, writeAtomic } from '#host/fs'
import { isOwnWorkflow, workflowFile } from './workflow.ts'

/** What is to become of the workflow of a checkout. */
export interface WorkflowChange {
  file: string
  before: string | undefined
  /** Undefined: it is to be removed. */
  after: string | undefined
}

/** What the workflow of a checkout is, and is to be. */
export function planWorkflow(checkout: string, after: string | undefined): WorkflowChange {
  const file = path.join(checkout, workflowFile)
  return { file, before: readIfPresent(file), after }
}

/** Exit 5 for a file that a person, or another program, has written or changed. `isShown`: is the difference printed already? */
export function refuseForeign({ file, before, after }: WorkflowChange, isShown: boolean): void {
  if (before === undefined || before === after || isOwnWorkflow(before)) return
  const preview = `dispatch actions ${after === undefined ? 'uninstall' : 'install'} --dry-run`
  throw new DispatchError(`${file} was not written by dispatch, or was changed since`, {
    exitCode: exitCodes.conflict,
    remedy: `Nothing was changed. ${isShown ? 'The difference is above' : `To see the difference: ${preview}`}. To ${after === undefined ? 'remove' : 'replace'} it all the same: --force`,
  })
}

/** Write it, or remove it. The index of the checkout and its commits stay as they are. */
export function applyChange({ file, before, after }: WorkflowChange): void {
  try {
    if (after === undefined) return fs.rmSync(file, { force: true })
    if (before === after) return
    fs.mkdirSync(path.dirname(file), { recursive: true })
    writeAtomic(file, after, 0o644)
  } catch (error) {
    throw toStorageError(file, error)
  }
}
