import { exitCodes } from '#host/error.ts'
import { writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { toOneLine } from '#host/text.ts'
import { type ContractChange, compareContracts } from '#session/contract'
import { recordCheck } from '../checks/check-cache.ts'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'
import { getApprovalFile } from '../messages/store.ts'
import { type ContractDraft, refuseDraft, validateDraft } from './draft.ts'
import { buildSealFields, readSealedContract, saveContractVersion, writeContractFile } from './seal.ts'

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
  if (!draft.ok) return refuseDraft(context, draft.text)
  const sealed = readSealedContract(context)
  const changes = compareContracts(sealed, { ...draft.contract, title: sealed.title }) // The title is not part of what is judged.
  if (changes.length === 0)
    return { exitCode: 0, text: 'The clauses are unchanged, so the sealed contract stays as it is.' }
  const unapproved = refuseUnapprovedAmendment(context, draft, changes, reason)
  if (unapproved) return unapproved
  saveContractVersion(context, draft, version)
  context.record({
    type: 'contract.amended',
    version,
    ...buildSealFields(draft),
    changes: describeChanges(changes),
    dilutions: describeChanges(changes.filter(({ isWeaker }) => isWeaker)),
  })
  writeContractFile(context, draft)
  for (const record of draft.evidence) recordCheck(context, record)
  return { exitCode: 0, text: `The contract is amended; this is version ${version}:\n${formatChanges(changes)}` }
}

function refuseLateAmendment({ status }: RunnerContext): CommandReply | undefined {
  const { contract, verdict, phase, workers } = status
  if (!contract) return refuse('No contract is sealed yet, so there is nothing to amend. Edit contract.md.')
  if (verdict?.isFinal && phase === verdict.verdict)
    return {
      exitCode: exitCodes.conflict,
      text: `There is already a verdict: ${verdict.verdict}. The contract it is based on cannot change.`,
    }
  const busy = workers.filter(({ endedAt }) => endedAt === undefined)
  if (busy.length > 0)
    return refuse(
      `Still working: ${busy.map(({ name }) => name).join(', ')}. They follow the current contract; run wait-workers first.`,
    )
  return undefined
}

/**
 * Ask the human about an amendment and answer why it waits. Undefined if they have approved exactly this text in place of the
 * sealed one, or need not be asked.
 */
function refuseUnapprovedAmendment(
  context: RunnerContext,
  { text }: ContractDraft,
  changes: ContractChange[],
  reason: string,
): CommandReply | undefined {
  const { session, status } = context
  const dilutions = describeChanges(changes.filter(({ isWeaker }) => isWeaker))
  if (dilutions.length === 0 && !session.manifest.requiresApproval) return undefined
  const draftSha256 = sha256(text)
  const { contract, phase } = status
  const approval = status.approval?.sha256 === draftSha256 ? status.approval : undefined
  if (approval?.state === 'given' && approval.previousSha256 === contract?.sha256) return undefined
  if (approval?.state === 'declined')
    return {
      exitCode: exitCodes.conflict,
      text: 'The human has declined exactly this amendment. The sealed contract stays in force.',
    }
  if (approval?.previousSha256 !== contract?.sha256 || phase !== 'asking') {
    writeAtomic(getApprovalFile(session.paths, draftSha256), text, 0o400)
    context.record({
      type: 'approval.requested',
      sha256: draftSha256,
      ...(contract ? { previousSha256: contract.sha256 } : {}),
      dilutions,
      reason: toOneLine(reason, MAX_REASON_CHARS),
    })
  }
  const cause =
    dilutions.length > 0 ? 'This asks for less than the sealed contract' : 'The human approves every version here'
  return {
    exitCode: exitCodes.conflict,
    text: `${cause}, so it needs the human's approval. Until then the sealed contract stays in force:\n${formatChanges(changes)}\nEnd your turn now: the answer will be your next message. Do not change contract.md.`,
  }
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
