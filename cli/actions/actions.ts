import path from 'node:path'
import { findRepositoryAddress, type RepositoryAddress } from '#forge'
import type { Config } from '#host/config'
import { findCheckout } from '#host/git'
import { listRemotes, readFetchAddress, readTransport } from '#host/git/upstream'
import { UsageError } from '../command.ts'
import { printInstalled } from '../output/actions-view.ts'
import { paintDiff } from '../output/diff.ts'
import { print } from '../output/terminal.ts'
import { applyChange, planWorkflow, refuseForeign } from './install.ts'
import { findOwnSource } from './own-source.ts'
import { renderWorkflow, type WorkflowOptions, workflowFile } from './workflow.ts'

/** The options of the command line. */
export interface ActionsValues {
  repo?: string
  label?: string
  sandbox?: string
  source?: string
  commit?: string
  'dry-run'?: boolean
  force?: boolean
  json?: boolean
}

/** What `--json` prints. */
export interface ActionsResult {
  file: string
  state: 'written' | 'unchanged' | 'removed' | 'missing' | 'would change'
}

/** What the workflow is to be. */
export async function chooseWorkflow(config: Config, values: ActionsValues): Promise<WorkflowOptions> {
  const { label = 'dispatch', sandbox = 'required', source, commit } = values
  if (sandbox !== 'required' && sandbox !== 'off')
    throw new UsageError(`--sandbox must be required or off: "${sandbox}"`, 'It is required if you leave it out.')
  if ((source === undefined) !== (commit === undefined))
    throw new UsageError('--source and --commit belong together', 'Name both, or leave both out.')
  const own = source && commit ? { source, commit } : await findOwnSource(config)
  return { label, sandbox, ...own }
}

/** Write the workflow into a checkout. Exit 5 for a file that dispatch has not written; the difference is shown then. */
export async function installWorkflow(config: Config, values: ActionsValues): Promise<ActionsResult> {
  const checkout = await requireCheckout(values.repo)
  const options = await chooseWorkflow(config, values)
  const result = change(checkout, renderWorkflow(options), values)
  if (!values.json && result.state === 'written') printInstalled(options, await findAddress(checkout))
  return result
}

/** Remove it again. */
export async function removeWorkflow(values: ActionsValues): Promise<ActionsResult> {
  return change(await requireCheckout(values.repo), undefined, values)
}

/** The repository on GitHub of a checkout, by the first remote that leads to one. */
export async function findAddress(checkout: string): Promise<RepositoryAddress | undefined> {
  for (const remote of await listRemotes(checkout)) {
    const found = await findRepositoryAddress(await readFetchAddress(await readTransport(checkout, remote)))
    if (found !== undefined) return found
  }
  return undefined
}

// --- internal ---

function change(checkout: string, after: string | undefined, values: ActionsValues): ActionsResult {
  const planned = planWorkflow(checkout, after)
  const { file, before } = planned
  if (before === after) {
    if (!values.json) print(after === undefined ? `There is no ${workflowFile}.` : `${workflowFile} is up to date.`)
    return { file, state: after === undefined ? 'missing' : 'unchanged' }
  }
  const isShown = !values.json && (values['dry-run'] === true || before !== undefined)
  if (isShown) print(paintDiff(workflowFile, before, after))
  if (!values.force) refuseForeign(planned, isShown)
  if (values['dry-run']) return { file, state: 'would change' }
  applyChange(planned)
  if (after === undefined && !values.json) print(`Removed: ${workflowFile}. Commit that.`)
  return { file, state: after === undefined ? 'removed' : 'written' }
}

async function requireCheckout(folder = '.'): Promise<string> {
  const checkout = await findCheckout(path.resolve(folder))
  if (checkout !== undefined) return checkout.path
  throw new UsageError(`${folder} is not a git repository with a work tree`, 'Name one: --repo DIR')
}
