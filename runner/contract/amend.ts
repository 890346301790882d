import { exitCodes } from '#host/error.ts'
import { writeAtomic } from '#host/fs'
import { toOneLine } from '#host/text.ts'
import { type ContractChange, compareContracts } from '#session/contract'
import { recordCheck } from '../checks/check-cache.ts'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'
import { computeSha256, getApprovalFile } from '../messages/store.ts'
import { type ContractDraft, refuseDraft, validateDraft } from './draft.ts'
import { buildSealFields, readSealedContract, saveContractVersion, writeContractFile } from './seal.ts'
/**
 * `contract amend "why"`: make the contract.md on the desk the next version of the sealed one. One that is as strict as before
 * counts at once. One that asks for less, in whatever way, is a dilution: it counts only when a human has said yes to it.
 */
export async function amendContract(context: RunnerContext, why: string): Promise<CommandReply> {
  const refused = refuseLateAmendment(context)
  if (refused) return refused
  if (why === '') return refuse('usage: contract amend "why it must change"')
  const version = (context.status.contract?.version ?? 0) + 1
  const drafted = await validateDraft(context, version)
  if (!drafted.ok) return refuseDraft(context, drafted.text)
  const sealed = readSealedContract(context)
  const changes = compareContracts(sealed, { ...drafted.contract, title: sealed.title }) // A title is nothing to judge anew.
  if (changes.length === 0) return { exit: 0, text: 'Nothing that counts has changed; the sealed contract stands.' }
  const waits = refuseUnapprovedAmendment(context, drafted, changes, why)
  if (waits) return waits
  saveContractVersion(context, drafted, version)
  const words = (some: ContractChange[]) => some.map(({ description }) => toOneLine(description, 300)).slice(0, 100)
  context.record({
    type: 'contract.amended',
    version,
    ...buildSealFields(drafted),
    changes: words(changes),
    dilutions: words(changes.filter(({ isWeaker }) => isWeaker)),
  })
  writeContractFile(context, drafted)
  for (const record of drafted.evidence) recordCheck(context, record)
  return { exit: 0, text: `The contract is amended; this is version ${version}:\n${formatChanges(changes)}` }
}

function refuseLateAmendment({ status }: RunnerContext): CommandReply | undefined {
  const { contract, verdict, phase, workers } = status
  if (!contract) return refuse('No contract is sealed yet, so there is nothing to amend: edit contract.md as you like.')
  if (verdict?.isFinal && phase === verdict.verdict)
    return {
      exit: exitCodes.conflict,
      text: `There is a verdict already: ${verdict.verdict}. It stands on the contract as it is.`,
    }
  const busy = workers.filter(({ endedAt }) => endedAt === undefined)
  if (busy.length > 0)
    return refuse(
      `Still at work: ${busy.map(({ name }) => name).join(', ')}. They work by the contract as it is; run wait-workers first.`,
    )
  return undefined
}

/**
 * Why it has to wait for the human, who is asked; nothing when they have said yes to exactly this text in place of the sealed one,
 * or need not be asked.
 */
function refuseUnapprovedAmendment(
  context: RunnerContext,
  { text }: ContractDraft,
  changes: ContractChange[],
  why: string,
): CommandReply | undefined {
  const { session, status } = context
  const dilutions = changes.filter(({ isWeaker }) => isWeaker).map(({ description }) => toOneLine(description, 300))
  if (dilutions.length === 0 && !session.manifest.requiresApproval) return undefined
  const sha256 = computeSha256(text)
  const { contract, phase } = status
  const approval = status.approval?.sha256 === sha256 ? status.approval : undefined
  if (approval?.state === 'given' && approval.previousSha256 === contract?.sha256) return undefined
  if (approval?.state === 'declined')
    return { exit: exitCodes.conflict, text: 'The human has said no to exactly this. The sealed contract stands.' }
  if (approval?.previousSha256 !== contract?.sha256 || phase !== 'asking') {
    writeAtomic(getApprovalFile(session.paths, sha256), text, 0o400)
    const from = contract ? { previousSha256: contract.sha256 } : {}
    context.record({
      type: 'approval.requested',
      sha256,
      ...from,
      dilutions: dilutions.slice(0, 100),
      reason: toOneLine(why, 400),
    })
  }
  const cause =
    dilutions.length > 0 ? 'This asks for less than what was sealed' : 'The human approves every version here'
  return {
    exit: exitCodes.conflict,
    text: `${cause}, so it waits for the human. Until they say yes, the sealed contract counts:\n${formatChanges(changes)}\nEnd your turn now; their answer will be your next message. Leave contract.md as it is.`,
  }
}

function formatChanges(changes: ContractChange[]): string {
  return changes
    .map(({ description, isWeaker }) => `- ${isWeaker ? 'weaker: ' : ''}${toOneLine(description, 300)}`)
    .join('\n')
}
