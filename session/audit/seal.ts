import { sha256 } from '#host/hash.ts'
import { getProofKind } from '../contract/clause.ts'
import { type Audit, type ContractVersion, type IndexedEvent, listClauses } from './audit.ts'
import { GONE, type ReadResult, readCapped } from './read-capped.ts'

/** Check that each version of the contract is what was sealed, and that a human approved it where that was needed. */
export function auditSeal(audit: Audit): void {
  const { paths, log, versions } = audit
  auditCurrentContract(audit)
  if (versions.length === 0) return
  for (const version of versions) auditVersion(audit, version)
  if (versions.some(({ version }, index) => version !== index + 1))
    audit.addDamage(
      paths.events,
      'the versions of the contract are not consecutive',
      'One of them was removed or added.',
    )
  auditApprovals(audit)
  const firstVersion = paths.contractVersion(1)
  if (log.chainStart === null && readCapped(firstVersion).reason === GONE)
    audit.addNote(firstVersion, 'is missing: an older dispatch did not keep it')
}

// --- internal ---

function auditCurrentContract(audit: Audit): void {
  const { contract } = audit.paths
  const read = readCapped(contract)
  const last = audit.versions.at(-1)
  if (last && isOneVersionBehind(audit, read))
    audit.addNote(
      contract,
      `is not version ${last.version} yet: its runner ended before it wrote the file, and the next one will write it`,
    )
  else if (last)
    audit.checkHash(read, last.sha256, {
      lost: 'The contract cannot be read there any more.',
      changed: ['is NOT what was sealed', 'The work was judged by another contract.'],
    })
  else if (read.reason === GONE) audit.addNote(contract, 'no contract is sealed yet')
  else audit.addDamage(contract, 'exists, though the log does not say that it was sealed', 'It is not binding.')
}

/** Did a crash come between a version's event and `contract.md`? Then the file is one version behind, or missing. */
function isOneVersionBehind({ paths, status, versions }: Audit, { bytes, reason }: ReadResult): boolean {
  const [previous, last] = [versions.at(-2), versions.at(-1)]
  if (!last || status.closed !== undefined || status.phase === status.verdict?.verdict) return false
  const kept = readCapped(paths.contractVersion(last.version)).bytes
  if (!kept || sha256(kept) !== last.sha256) return false
  return previous ? bytes !== undefined && sha256(bytes) === previous.sha256 : reason === GONE
}

function auditVersion(audit: Audit, { version, sha256: sealedSha256, clauses, contract }: ContractVersion): void {
  const kept = readCapped(audit.paths.contractVersion(version))
  const isFromOlderDispatch = audit.log.chainStart === null && kept.reason === GONE
  if (!isFromOlderDispatch)
    audit.checkHash(kept, sealedSha256, {
      lost: `Version ${version} of the contract is lost.`,
      changed: ['is NOT what was sealed', `This is not version ${version} of the contract.`],
    })
  if (!contract) return
  const parsedClauses = contract.clauses.map(({ id, proof }) => ({ id, proof: getProofKind(proof) }))
  if (listClauses(clauses, 'proof') !== listClauses(parsedClauses, 'proof'))
    audit.addDamage(
      audit.paths.events,
      `has other clauses for version ${version} of the contract`,
      'The line was changed.',
    )
}

/** A human must have approved exactly that text before: of every version with `--approve`, and of every dilution. */
function auditApprovals(audit: Audit): void {
  const approvals = audit.selectEvents('contract.approved')
  for (const [index, sealed] of audit.versions.entries()) {
    const [dilution] = sealed.dilutions
    if (audit.manifest?.requiresApproval !== true && dilution === undefined) continue
    const isApproved = approvals.some(
      approval =>
        approval.sha256 === sealed.sha256 &&
        approval.index < sealed.index &&
        isApprovalFor(audit, approval, audit.versions[index - 1]),
    )
    if (isApproved) continue
    const cause = dilution === undefined ? 'needed approval (--approve)' : `weakens it (${dilution})`
    audit.addDamage(
      audit.paths.events,
      `version ${sealed.version} of the contract ${cause}, but no human approved it`,
      'It should never have been sealed.',
    )
  }
}

/** An approval is for one change of one sealed contract, and counts once. An older dispatch did not record which. */
function isApprovalFor(
  audit: Audit,
  approval: IndexedEvent<'contract.approved'>,
  previous: ContractVersion | undefined,
): boolean {
  const request = audit
    .selectEvents('approval.requested')
    .findLast(event => event.sha256 === approval.sha256 && event.index < approval.index)
  if (request?.previousSha256 === undefined) return true
  return previous !== undefined && request.previousSha256 === previous.sha256 && approval.index > previous.index
}
