import fs from 'node:fs'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readUntrusted, writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { formatCount } from '#host/text.ts'
import { type Contract, getProofKind, parseContract } from '#session/contract'
import { recordCheck } from '../checks/check-cache.ts'
import { accept, type CommandReply, type RunnerContext, refuse } from '../context.ts'
import { requestApproval } from './approval.ts'
import { type ContractDraft, readDraft, validateDraft } from './draft.ts'

/** Answer `contract check`: what the seal would report, without sealing. */
export async function checkContract(context: RunnerContext): Promise<CommandReply> {
  const { session, status } = context
  if (status.contract) {
    const isUnchanged = readDraft(context) === fs.readFileSync(session.paths.contract, 'utf8')
    const note =
      'Your contract.md has changed since, but the sealed version is in force. To apply the change, run `contract amend "why"`; asking for less needs the human\'s approval.'
    return accept(`The contract is sealed (${status.contract.sha256.slice(0, 12)}). ${isUnchanged ? '' : note}`)
  }
  const draft = await validateDraft(context)
  if ('exitCode' in draft) return draft
  const idle = draft.evidence.filter(({ outcome }) => outcome === 'nothing ran')
  const idleNote =
    idle.length === 0
      ? ''
      : `\nNo test runs yet in ${idle.map(({ clauseId, reason }) => `${clauseId} (${reason})`).join(', ')}. After the work at least one must run there, without network, or the clause is not proved.`
  const uncovered = draft.uncovered.map(sentence => `\n  ${sentence.slice(0, 160)}`).join('')
  const uncoveredNote =
    uncovered &&
    `\nNo clause covers these sentences of the task (name them in "- covers:" or under "## Not covered"):${uncovered}`
  const spawnNote = session.manifest.requiresApproval
    ? 'asks the human to approve the contract; once approved, it seals it'
    : 'seals it'
  return accept(
    `The contract is ready: ${formatCount(draft.contract.clauses.length, 'clause')}, no check but a guard is green on the base.${idleNote}${uncoveredNote}\nNext: spawn-worker. The first spawn ${spawnNote}.`,
  )
}

/** Seal the draft, or answer why it cannot be sealed. Every check runs on the base first. */
export async function sealContract(context: RunnerContext): Promise<CommandReply | undefined> {
  const { session, status } = context
  if (status.contract) return undefined
  const draft = await validateDraft(context)
  if ('exitCode' in draft) return draft
  if (session.manifest.requiresApproval && !requestApproval(context, draft.text))
    return refuse(
      "The contract is ready and needs the human's approval. Nothing was started. End your turn now: the answer will be your next message. Do not change contract.md: a changed text needs approval again.",
      exitCodes.conflict,
    )
  writeAtomic(session.paths.plan, readUntrusted(session.paths.draftPlan, MAX_PLAN_BYTES) ?? '')
  putIntoForce(context, draft, 1)
  return undefined
}

/**
 * Put a version of the contract into force: save it, record it with its checks, and write `contract.md`. The file comes after the
 * event, so it never has a text that no event names.
 */
export function putIntoForce(
  context: RunnerContext,
  draft: ContractDraft,
  version: number,
  amendment?: { changes: string[]; dilutions: string[] },
): void {
  const { paths } = context.session
  const fields = buildSealFields(draft)
  writeAtomic(paths.contractVersion(version), draft.text, 0o400)
  context.record(
    amendment ? { type: 'contract.amended', version, ...fields, ...amendment } : { type: 'contract.sealed', ...fields },
  )
  writeAtomic(paths.contract, draft.text, 0o400)
  for (const record of draft.evidence) recordCheck(context, record)
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
export function buildSealFields({ text, contract, uncovered, excluded }: ContractDraft) {
  return {
    sha256: sha256(text),
    clauses: contract.clauses.map(({ id, sentence, proof }) => ({
      id,
      sentence: sentence.slice(0, MAX_CLAUSE_CHARS),
      proof: getProofKind(proof),
    })),
    uncoveredSentences: uncovered.map(sentence => sentence.slice(0, MAX_UNCOVERED_CHARS)),
    ...(excluded.length > 0 && { excludedSentences: excluded.map(each => each.slice(0, MAX_UNCOVERED_CHARS)) }),
  }
}

/** The sealed contract. Throws exit 13 if the file is not byte for byte what was sealed. */
export function readSealedContract(context: RunnerContext): Contract {
  const { session, status } = context
  restoreContractFile(context)
  const text = fs.readFileSync(session.paths.contract, 'utf8')
  if (sha256(text) !== status.contract?.sha256)
    throw new DispatchError(`${session.paths.contract} was changed after it was sealed`, {
      exitCode: exitCodes.integrity,
      remedy: `To see what else was changed: dispatch audit ${session.id.slice(-4)}`,
    })
  return parseContract(text, { allowsJudgedOnly: true }).contract
}

/** One more than a contract may have, so that a longer file differs. */
const MAX_CONTRACT_READ_BYTES = 256 * 1024 + 1
const MAX_PLAN_BYTES = 256 * 1024
/** Of the texts of a contract, an event holds this much; the file has all of it. */
const MAX_CLAUSE_CHARS = 400
const MAX_UNCOVERED_CHARS = 300
