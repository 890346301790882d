import fs from 'node:fs'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readUntrusted, writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { formatCount } from '#host/text.ts'
import { type Contract, parseContract } from '#session/contract'
import { recordCheck } from '../checks/check-cache.ts'
import type { CommandReply, RunnerContext } from '../context.ts'
import { refuseUnapproved } from './approval.ts'
import { type ContractDraft, readDraft, refuseDraft, validateDraft } from './draft.ts'

/** Answer `contract check`: what the seal would report, without sealing. */
export async function checkContract(context: RunnerContext): Promise<CommandReply> {
  if (context.status.contract)
    return {
      exitCode: 0,
      text: `The contract is sealed (${context.status.contract.sha256.slice(0, 12)}). ${formatDraftNote(context)}`,
    }
  const draft = await validateDraft(context)
  if (!draft.ok) return refuseDraft(context, draft.text)
  return {
    exitCode: 0,
    text: `The contract is ready: ${formatCount(draft.contract.clauses.length, 'clause')}, every check red or a guard on the base.${formatUncoveredNote(draft.uncovered)}\nNext: spawn-worker. The first spawn ${context.session.manifest.requiresApproval ? 'asks the human to approve the contract; once approved, it seals it' : 'seals it'}.`,
  }
}

/** Seal the draft, or answer why it cannot be sealed. Every check runs on the base first. */
export async function sealContract(context: RunnerContext): Promise<CommandReply | undefined> {
  if (context.status.contract) return undefined
  const draft = await validateDraft(context)
  if (!draft.ok) return refuseDraft(context, draft.text)
  const unapproved = refuseUnapproved(context, draft.text)
  if (unapproved) return unapproved
  const { paths } = context.session
  writeAtomic(paths.plan, readUntrusted(paths.draftPlan, MAX_PLAN_BYTES) ?? '')
  saveContractVersion(context, draft, 1)
  context.record({ type: 'contract.sealed', ...buildSealFields(draft) })
  writeContractFile(context, draft)
  for (const record of draft.evidence) recordCheck(context, record)
  return undefined
}

/** Save a version before the event that names it. `contract.md` comes last, so it never has a text that no event names. */
export function saveContractVersion({ session }: RunnerContext, { text }: ContractDraft, version: number): void {
  writeAtomic(session.paths.contractVersion(version), text, 0o400)
}

/** Write `contract.md`, the version in force. */
export function writeContractFile({ session }: RunnerContext, { text }: ContractDraft): void {
  writeAtomic(session.paths.contract, text, 0o400)
}

/**
 * Write the version in force to `contract.md` if the file is missing or has the version before it, because a runner died between
 * the event and the file. Any other content was changed by another process, and stays.
 */
export function restoreContractFile({
  session: { paths },
  status: { contract },
}: Pick<RunnerContext, 'session' | 'status'>): void {
  if (!contract) return
  const read = (file: string) => readUntrusted(file, MAX_CONTRACT_READ_BYTES)
  const current = read(paths.contractVersion(contract.version))
  if (!current || sha256(current) !== contract.sha256) return
  const previous = contract.version > 1 ? read(paths.contractVersion(contract.version - 1)) : undefined
  const isOutdated =
    contract.version > 1 ? previous && read(paths.contract)?.equals(previous) : !fs.existsSync(paths.contract)
  if (isOutdated) writeAtomic(paths.contract, current, 0o400)
}

/** The fields of the event that names a version of the contract. */
export function buildSealFields({ text, contract, uncovered }: ContractDraft) {
  return {
    sha256: sha256(text),
    clauses: contract.clauses.map(({ id, sentence, proof }) => ({
      id,
      sentence: sentence.slice(0, 400),
      proof: proof.kind === 'check' && proof.isGuard ? ('guard' as const) : proof.kind,
    })),
    uncoveredSentences: uncovered.map(sentence => sentence.slice(0, 300)),
  }
}

/** The sealed contract. Throws exit 13 if the file is not byte for byte what was sealed. */
export function readSealedContract(context: RunnerContext): Contract {
  const { session, status } = context
  restoreContractFile(context)
  const text = fs.readFileSync(session.paths.contract, 'utf8')
  if (sha256(text) !== status.contract?.sha256) {
    throw new DispatchError('contract.md was changed after it was sealed', {
      exitCode: exitCodes.integrity,
    })
  }
  return parseContract(text, { allowsJudgedOnly: true }).contract
}

function formatUncoveredNote(sentences: string[]): string {
  return sentences.length === 0
    ? ''
    : `\nNo clause covers these sentences of the task (name them in "- covers:" or under "## Not covered"):\n${sentences.map(sentence => `  ${sentence.slice(0, 160)}`).join('\n')}`
}

function formatDraftNote(context: RunnerContext): string {
  return readDraft(context) === fs.readFileSync(context.session.paths.contract, 'utf8')
    ? ''
    : 'Your contract.md has changed since, but the sealed version is in force. To apply the change, run `contract amend "why"`; asking for less needs the human\'s approval.'
}

/** One more than a contract may have, so that a longer file differs. */
const MAX_CONTRACT_READ_BYTES = 256 * 1024 + 1
const MAX_PLAN_BYTES = 256 * 1024
