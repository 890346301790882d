import { exitCodes } from '#host/error.ts'
import { sha256 } from '#host/hash.ts'
import { toOneLine } from '#host/text.ts'
import { type ContractChange, compareContracts } from '#session/contract'
import { accept, type CommandReply, listActiveWorkers, type RunnerContext, refuse } from '../context.ts'
import { requestApproval } from './approval.ts'
import { listBaseFiles } from './base-checks.ts'
import { validateDraft } from './draft.ts'
import { putIntoForce, readSealedContract } from './seal.ts'

/**
 * Answer `contract amend "why"`: make the draft the next version of the sealed contract. A version that is as strict as before
 * applies at once. One that weakens the contract in any way is a dilution and needs a human's approval.
 */
export async function amendContract(context: RunnerContext, reason: string): Promise<CommandReply> {
  const refused = refuseLateAmendment(context)
  if (refused) return refused
  if (reason === '') return refuse('usage: contract amend "why it must change"')
  const version = (context.status.contract?.version ?? 0) + 1
  const draft = await validateDraft(context, version)
  if ('exitCode' in draft) return draft
  const sealed = readSealedContract(context)
  const amended = { ...draft.contract, title: sealed.title } // The title is not part of what is judged.
  const changes = compareContracts(sealed, amended, {
    baseFiles: await listBaseFiles(context),
    defaultLimitSeconds: context.config.CHECK_TIMEOUT_SEC,
  })
  if (changes.length === 0) return accept('The clauses are unchanged, so the sealed contract stays as it is.')
  const dilutions = describeChanges(changes.filter(({ isWeaker }) => isWeaker))
  const unapproved = refuseUnapproved(context, draft.text, changes, { dilutions, reason })
  if (unapproved) return unapproved
  putIntoForce(context, draft, version, { changes: describeChanges(changes), dilutions })
  return accept(`The contract is amended; this is version ${version}:\n${formatChanges(changes)}`)
}

function refuseLateAmendment({ status }: RunnerContext): CommandReply | undefined {
  const { contract, verdict, phase } = status
  if (!contract) return refuse('No contract is sealed yet, so there is nothing to amend. Edit contract.md.')
  if (verdict?.isFinal && phase === verdict.verdict)
    return refuse(
      `There is already a verdict: ${verdict.verdict}. The contract it is based on cannot change.`,
      exitCodes.conflict,
    )
  const busy = listActiveWorkers(status).map(({ name }) => name)
  if (busy.length === 0) return undefined
  return refuse(`Still working: ${busy.join(', ')}. They follow the current contract; run wait-workers first.`)
}

/** Ask the human about an amendment that needs approval, and answer why it waits. */
function refuseUnapproved(
  context: RunnerContext,
  text: string,
  changes: ContractChange[],
  { dilutions, reason }: { dilutions: string[]; reason: string },
): CommandReply | undefined {
  if (dilutions.length === 0 && !context.session.manifest.requiresApproval) return undefined
  const { approval } = context.status
  if (approval?.state === 'declined' && approval.sha256 === sha256(text))
    return refuse(
      'The human has declined exactly this amendment. The sealed contract stays in force.',
      exitCodes.conflict,
    )
  if (requestApproval(context, text, { dilutions, reason: toOneLine(reason, MAX_REASON_CHARS) })) return undefined
  const cause =
    dilutions.length > 0 ? 'This asks for less than the sealed contract' : 'The human approves every version here'
  return refuse(
    `${cause}, so it needs the human's approval. Until then the sealed contract stays in force:\n${formatChanges(changes)}\nEnd your turn now: the answer will be your next message. Do not change contract.md.`,
    exitCodes.conflict,
  )
}

function formatChanges(changes: ContractChange[]): string {
  return changes
    .map(({ description, isWeaker }) => `- ${isWeaker ? 'weaker: ' : ''}${toOneLine(description, MAX_CHANGE_CHARS)}`)
    .join('\n')
}

function describeChanges(changes: ContractChange[]): string[] {
  return changes.map(({ description }) => toOneLine(description, MAX_CHANGE_CHARS)).slice(0, MAX_RECORDED_CHANGES)
}

const MAX_CHANGE_CHARS = 300
const MAX_RECORDED_CHANGES = 100
const MAX_REASON_CHARS = 400
