import { sha256 } from '#host/hash.ts'
import type { Contract } from '../contract/clause.ts'
import { parseContract } from '../contract/contract.ts'
import type { Event } from '../log/event.ts'
import { type AuditProblem, AuditProblems } from './problem.ts'
import {
  GONE,
  MAX_BYTES,
  type ReadResult,
  readCapped,
  type SessionFiles,
  selectEvents,
  toRelativePath,
} from './session-files.ts'

/** One sealed version of the contract. */
export interface ContractVersion {
  version: number
  sha256: string
  /** The index of its event in the log. */
  eventIndex: number
  dilutions: string[]
  clauses: Extract<Event, { type: 'contract.sealed' }>['clauses']
  /** Undefined if no file has the sealed text any more. */
  contract: Contract | undefined
}

/** List every version of the contract that was sealed, in order. */
export function listContractVersions(files: SessionFiles): ContractVersion[] {
  const first = selectEvents(files, 'contract.sealed').map(event => ({ ...event, version: 1, dilutions: [] }))
  return [...first, ...selectEvents(files, 'contract.amended')]
    .sort((a, b) => a.index - b.index)
    .map(({ version, sha256: sealedSha256, index: eventIndex, dilutions, clauses }) => {
      const candidates = [files.paths.contractVersion(version), files.paths.contract].map(
        file => readCapped(file, MAX_BYTES.record).bytes,
      )
      const text = candidates.find(bytes => bytes && sha256(bytes) === sealedSha256)?.toString('utf8')
      const contract = text === undefined ? undefined : parseContract(text, { allowsJudgedOnly: true }).contract
      return { version, sha256: sealedSha256, eventIndex, dilutions, clauses, contract }
    })
}

/** Check that each version of the contract is what was sealed, and that a human approved it where that was needed. */
export function auditSeal(files: SessionFiles, versions: ContractVersion[]): AuditProblem[] {
  const problems = new AuditProblems('seal')
  const { paths, log } = files
  auditCurrentContract(files, versions, problems)
  if (versions.length === 0) return problems.list
  for (const version of versions) auditVersion(files, version, problems)
  if (versions.some(({ version }, index) => version !== index + 1))
    problems.addDamage(
      'events.jsonl',
      'the versions of the contract are not consecutive',
      'One of them was removed or added.',
    )
  auditApprovals(files, versions, problems)
  const firstVersion = paths.contractVersion(1)
  if (log.chainStart === null && readCapped(firstVersion, MAX_BYTES.record).reason === GONE)
    problems.addNote(toRelativePath(files, firstVersion), 'is missing: an older dispatch did not keep it')
  return problems.list
}

// --- internal ---

function auditCurrentContract(files: SessionFiles, versions: ContractVersion[], problems: AuditProblems): void {
  const file = readCapped(files.paths.contract, MAX_BYTES.record)
  const last = versions.at(-1)
  if (!last) {
    if (file.reason === GONE) problems.addNote('contract.md', 'no contract is sealed yet')
    else
      problems.addDamage('contract.md', 'exists, though the log does not say that it was sealed', 'It is not binding.')
  } else if (isOneVersionBehind(files, file, versions))
    problems.addNote(
      'contract.md',
      `is not version ${last.version} yet: its runner ended before it wrote the file, and the next one will write it`,
    )
  else if (file.bytes === undefined)
    problems.addDamage('contract.md', file.reason, 'The contract cannot be read there any more.')
  else if (sha256(file.bytes) !== last.sha256)
    problems.addDamage('contract.md', 'is NOT what was sealed', 'The work was judged by another contract.')
}

/**
 * Did a crash come between the event of a version and `contract.md`? Then the file still has the version before it, or
 * is missing.
 */
function isOneVersionBehind({ paths, status }: SessionFiles, file: ReadResult, versions: ContractVersion[]): boolean {
  const [previous, last] = [versions.at(-2), versions.at(-1)]
  if (!last || status.closed !== undefined || status.phase === status.verdict?.verdict) return false
  const kept = readCapped(paths.contractVersion(last.version), MAX_BYTES.record).bytes
  if (!kept || sha256(kept) !== last.sha256) return false
  return previous ? file.bytes !== undefined && sha256(file.bytes) === previous.sha256 : file.reason === GONE
}

function auditVersion(files: SessionFiles, sealed: ContractVersion, problems: AuditProblems): void {
  const { version, clauses, contract } = sealed
  const file = files.paths.contractVersion(version)
  const kept = readCapped(file, MAX_BYTES.record)
  const isFromOlderDispatch = files.log.chainStart === null && kept.reason === GONE
  if (kept.bytes === undefined && !isFromOlderDispatch)
    problems.addDamage(toRelativePath(files, file), kept.reason, `Version ${version} of the contract is lost.`)
  else if (kept.bytes && sha256(kept.bytes) !== sealed.sha256)
    problems.addDamage(
      toRelativePath(files, file),
      'is NOT what was sealed',
      `This is not version ${version} of the contract.`,
    )
  if (!contract) return
  const loggedClauses = clauses.map(({ id, proof }) => `${id} ${proof}`).join(', ')
  const parsedClauses = contract.clauses
    .map(({ id, proof }) => `${id} ${proof.kind === 'check' && proof.isGuard ? 'guard' : proof.kind}`)
    .join(', ')
  if (loggedClauses !== parsedClauses)
    problems.addDamage(
      'events.jsonl',
      `has other clauses for version ${version} of the contract`,
      'The line was changed.',
    )
}

/**
 * A human must have approved exactly that text before it counted: every version with `--approve`, and every dilution.
 */
function auditApprovals(files: SessionFiles, versions: ContractVersion[], problems: AuditProblems): void {
  const approvals = selectEvents(files, 'contract.approved')
  for (const [index, sealed] of versions.entries()) {
    const { version, eventIndex, dilutions } = sealed
    if (files.manifest?.requiresApproval !== true && dilutions.length === 0) continue
    const isApproved = approvals.some(
      approval =>
        approval.sha256 === sealed.sha256 &&
        approval.index < eventIndex &&
        isApprovalFor(files, approval, versions[index - 1]),
    )
    if (isApproved) continue
    const cause = dilutions.length > 0 ? `weakens it (${dilutions[0]})` : 'needed approval (--approve)'
    problems.addDamage(
      'events.jsonl',
      `version ${version} of the contract ${cause}, but no human approved it`,
      'It should never have been sealed.',
    )
  }
}

/**
 * An approval is for one change of one sealed contract, and can be used once. An older dispatch did not record which
 * contract.
 */
function isApprovalFor(
  files: SessionFiles,
  approval: { sha256: string; index: number },
  previous: ContractVersion | undefined,
): boolean {
  const request = selectEvents(files, 'approval.requested').findLast(
    event => event.sha256 === approval.sha256 && event.index < approval.index,
  )
  if (request?.previousSha256 === undefined) return true
  return previous !== undefined && request.previousSha256 === previous.sha256 && approval.index > previous.eventIndex
}
