import path from 'node:path'
import { installFolder } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readIfPresent } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { UsageError } from '../command.ts'

/** Where the workflow is in a checkout. */
export const workflowFile = '.github/workflows/dispatch.yml'

/** What a repository chooses of its workflow. */
export interface WorkflowOptions {
  /** Issues with this label start. */
  label: string
  sandbox: 'required' | 'off'
  /** Where dispatch is fetched from, and which commit of it. */
  source: string
  commit: string
}

/** The workflow as it is written. Exit 2 for a label or a source that does not belong into such a file. */
export function renderWorkflow({ label, sandbox, source, commit }: WorkflowOptions): string {
  if (!LABEL.test(label))
    throw new UsageError(
      `"${label}" is not a label for a workflow`,
      'Use letters, digits, blanks and . _ : / - (at most 50).',
    )
  if (!SOURCE.test(source))
    throw new UsageError(`"${source}" is not an address that a runner can fetch from`, 'Name one: --source https://…')
  if (!COMMIT.test(commit)) throw new UsageError(`"${commit}" is not a whole hash of a commit`, 'Write all 40 digits.')
  const text = readTemplate()
    .replace(/^\{\{#sandbox\}\}\n([\s\S]*?)^\{\{\/sandbox\}\}\n/m, sandbox === 'off' ? '' : '$1')
    .replaceAll('{{label}}', () => label)
    .replaceAll('{{sandbox}}', sandbox)
    .replaceAll('{{source}}', () => source)
    .replaceAll('{{commit}}', commit)
  return text.replace('{{seal}}', computeSeal(text.replace('{{seal}}', '')))
}

/** Has nothing but dispatch written this text? Its second line says the hash of the rest. Pure. */
export function isOwnWorkflow(text: string): boolean {
  const seal = SEAL.exec(text)?.[1]
  return seal !== undefined && computeSeal(text.replace(seal, '')) === seal
}

// --- internal ---

const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N} ._:/-]{0,48}[\p{L}\p{N}])?$/u
const SOURCE = /^(https?|file):\/\/[\w.:/~+%-]+$/
const COMMIT = /^[0-9a-f]{40}$/
const SEAL = /^# dispatch-sha256: ([0-9a-f]{64})$/m

/** Line ends are those of the checkout. */
function computeSeal(text: string): string {
  return sha256(text.replaceAll('\r\n', '\n'))
}

function readTemplate(): string {
  const text = readIfPresent(path.join(installFolder, 'cli/actions/workflow.yml'))
  if (text !== undefined) return text
  throw new DispatchError('cli/actions/workflow.yml is missing from the install', {
    exitCode: exitCodes.dependency,
    remedy: 'Install dispatch again.',
  })
}
