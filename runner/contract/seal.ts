import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readUntrusted, writeAtomic } from '#host/fs'
import { type Contract, parseContract } from '#session/contract'
import { recordCheck } from '../checks/check-cache.ts'
import type { CommandReply, RunnerContext } from '../context.ts'
import { computeSha256 } from '../messages/store.ts'
import { refuseUnapproved } from './approval.ts'
import { type ContractDraft, readDraft, refuseDraft, validateDraft } from './draft.ts'

/** `contract check`: what a seal would say, without sealing. */
export async function checkContract(context: RunnerContext): Promise<CommandReply> {
  if (context.status.contract)
    return {
      exit: 0,
      text: `The contract is sealed (${context.status.contract.sha256.slice(0, 12)}). ${formatDraftNote(context)}`,
    }
  const tried = await validateDraft(context)
  if (!tried.ok) return refuseDraft(context, tried.text)
  return {
    exit: 0,
    text: `The contract holds: ${tried.contract.clauses.length} clauses, every check red or guarded on the base.${formatUncoveredNote(tried.uncovered)}\nNext: spawn-worker. The first spawn ${context.session.manifest.requiresApproval ? 'asks the human to approve it, and seals it then' : 'seals it'}.`,
  }
}

/** Seal the draft on the desk, or answer why it cannot be sealed. Every check runs on the base first. */
export async function sealContract(context: RunnerContext): Promise<CommandReply | undefined> {
  if (context.status.contract) return undefined
  const tried = await validateDraft(context)
  if (!tried.ok) return refuseDraft(context, tried.text)
  const waits = refuseUnapproved(context, tried.text)
  if (waits) return waits
  const { paths } = context.session
  writeAtomic(paths.plan, readUntrusted(path.join(paths.orchestratorFolder, 'plan.md'), 256 * 1024) ?? '')
  saveContractVersion(context, tried, 1)
  context.record({ type: 'contract.sealed', ...buildSealFields(tried) })
  writeContractFile(context, tried)
  for (const record of tried.evidence) recordCheck(context, record)
  return undefined
}

/** The version on disk first, then the event that names it, then `contract.md`, which so never holds what no event knows. */
export function saveContractVersion({ session }: RunnerContext, { text }: ContractDraft, version: number): void {
  writeAtomic(session.paths.contractVersion(version), text, 0o400)
}

/** `contract.md`, which everybody reads. */
export function writeContractFile({ session }: RunnerContext, { text }: ContractDraft): void {
  writeAtomic(session.paths.contract, text, 0o400)
}

/**
 * Lay the version that counts as `contract.md`, where there is none yet or the one before it: so a runner that ended between the
 * event and the file left it. Whatever else stands there is somebody's doing, and stays.
 */
export function restoreContractFile({
  session: { paths },
  status: { contract },
}: Pick<RunnerContext, 'session' | 'status'>): void {
  if (!contract) return
  const read = (file: string) => readUntrusted(file, MAX_CONTRACT_BYTES)
  const kept = read(paths.contractVersion(contract.version))
  if (!kept || computeSha256(kept) !== contract.sha256) return
  const now = read(paths.contract)
  const before = contract.version > 1 ? read(paths.contractVersion(contract.version - 1)) : undefined
  const isLeft = contract.version > 1 ? before && now?.equals(before) : !fs.existsSync(paths.contract)
  if (isLeft) writeAtomic(paths.contract, kept, 0o400)
}

/** What the log says of a version of the contract. */
export function buildSealFields({ text, contract, uncovered: sentences }: ContractDraft) {
  return {
    sha256: computeSha256(text),
    clauses: contract.clauses.map(({ id, sentence, proof }) => ({
      id,
      sentence: sentence.slice(0, 400),
      proof: proof.kind === 'check' && proof.isGuard ? ('guard' as const) : proof.kind,
    })),
    uncoveredSentences: sentences.map(sentence => sentence.slice(0, 300)),
  }
}

/** The sealed contract, byte for byte as it was sealed; anything else is an integrity failure (exit 13). */
export function readSealedContract(context: RunnerContext): Contract {
  const { session, status } = context
  restoreContractFile(context)
  const text = fs.readFileSync(session.paths.contract, 'utf8')
  if (computeSha256(text) !== status.contract?.sha256) {
    throw new DispatchError('contract.md is not what was sealed: somebody has changed it', {
      exitCode: exitCodes.integrity,
    })
  }
  return parseContract(text, { allowsJudgedOnly: true }).contract
}

function formatUncoveredNote(sentences: string[]): string {
  return sentences.length === 0
    ? ''
    : `\nSentences of the task that no clause covers (name them in "- covers:", or under "## Not covered"):\n${sentences.map(sentence => `  ${sentence.slice(0, 160)}`).join('\n')}`
}

function formatDraftNote(context: RunnerContext): string {
  return readDraft(context) === fs.readFileSync(context.session.paths.contract, 'utf8')
    ? ''
    : 'The contract.md on your desk has changed since, and only the sealed one counts. `contract amend "why"` makes the change count; what asks for less waits for the human.'
}

/** More than a contract may have, in bytes. */
const MAX_CONTRACT_BYTES = 256 * 1024 + 1
