import type { Contract } from '../contract/clause.ts'
import { parseContract } from '../contract/contract.ts'
import type { Event } from '../log/event.ts'
import { type AuditProblem, AuditProblems } from './problem.ts'
import {
  hashBytes,
  MAX_BYTES,
  type ReadResult,
  readCapped,
  type SessionFiles,
  selectEvents,
  toRelativePath,
} from './session-files.ts'
/** One version of the contract: what the log says of it, and its text where that is what was sealed. */
export interface ContractVersion {
  version: number
  sha256: string
  /** Its place in the log. */
  eventIndex: number
  dilutions: string[]
  clauses: Extract<Event, { type: 'contract.sealed' }>['clauses']
  contract: Contract | undefined
}

/** Every version of the contract that was sealed, in order. */
export function listContractVersions(dossier: SessionFiles): ContractVersion[] {
  const sealed = selectEvents(dossier, 'contract.sealed').map(event => ({
    ...event,
    version: 1,
    dilutions: [] as string[],
  }))
  return [...sealed, ...selectEvents(dossier, 'contract.amended')]
    .sort((a, b) => a.place - b.place)
    .map(({ version, sha256, place: eventIndex, dilutions, clauses }) => {
      const kept = [dossier.paths.contractVersion(version), dossier.paths.contract].map(
        file => readCapped(file, MAX_BYTES.record).bytes,
      )
      const text = kept.find(bytes => bytes && hashBytes(bytes) === sha256)?.toString('utf8')
      const contract = text === undefined ? undefined : parseContract(text, { allowsJudgedOnly: true }).contract
      return { version, sha256, eventIndex, dilutions, clauses, contract }
    })
}

/** Is each version of the contract what was sealed, and did a person say yes where one had to? */
export function auditSeal(dossier: SessionFiles, versions: ContractVersion[]): AuditProblem[] {
  const remarks = new AuditProblems('seal')
  const { paths, log } = dossier
  const now = readCapped(paths.contract, MAX_BYTES.record)
  const last = versions.at(-1)
  if (!last) {
    if (now.reason !== 'is gone')
      remarks.addDamage('contract.md', 'is there, though no line says that it was sealed', 'Nobody is bound to it.')
    else remarks.addNote('contract.md', 'nothing is sealed yet')
    return remarks.problems
  }
  if (isOneVersionBehind(dossier, now, versions))
    remarks.addNote(
      'contract.md',
      `is not version ${last.version} yet: its runner ended before it was laid; the next one does it`,
    )
  else if (now.bytes === undefined)
    remarks.addDamage('contract.md', now.reason, 'What was promised cannot be read there any more.')
  else if (hashBytes(now.bytes) !== last.sha256)
    remarks.addDamage('contract.md', 'is NOT what was sealed', 'The work was judged by another contract than this.')
  for (const each of versions) auditVersion(dossier, each, remarks)
  if (versions.some(({ version }, at) => version !== at + 1))
    remarks.addDamage(
      'events.jsonl',
      'the versions of the contract are not numbered one by one',
      'One of them was removed or added.',
    )
  auditApprovals(dossier, versions, remarks)
  if (
    log.chainStart === null &&
    versions.length > 0 &&
    readCapped(paths.contractVersion(1), MAX_BYTES.record).reason === 'is gone'
  )
    remarks.addNote(toRelativePath(dossier, paths.contractVersion(1)), 'was not kept by that dispatch')
  return remarks.problems
}

// --- internal ---

/** Has a crash come between the event that names a version and `contract.md`? Then the version before it stands there, or none. */
function isOneVersionBehind({ paths, status }: SessionFiles, now: ReadResult, versions: ContractVersion[]): boolean {
  const [before, last] = [versions.at(-2), versions.at(-1)]
  if (!last || status.closed !== undefined || status.phase === status.verdict?.verdict) return false
  const kept = readCapped(paths.contractVersion(last.version), MAX_BYTES.record).bytes
  if (!kept || hashBytes(kept) !== last.sha256) return false
  return before ? now.bytes !== undefined && hashBytes(now.bytes) === before.sha256 : now.reason === 'is gone'
}

function auditVersion(
  dossier: SessionFiles,
  { version, sha256, clauses, contract }: ContractVersion,
  remarks: AuditProblems,
): void {
  const file = dossier.paths.contractVersion(version)
  const kept = readCapped(file, MAX_BYTES.record)
  const isOld = dossier.log.chainStart === null && kept.reason === 'is gone'
  if (kept.bytes === undefined && !isOld)
    remarks.addDamage(
      toRelativePath(dossier, file),
      kept.reason,
      `Version ${version} of the contract cannot be shown any more.`,
    )
  else if (kept.bytes && hashBytes(kept.bytes) !== sha256)
    remarks.addDamage(
      toRelativePath(dossier, file),
      'is NOT what was sealed',
      `This is not version ${version} of the contract.`,
    )
  if (!contract) return
  const told = clauses.map(({ id, proof }) => `${id} ${proof}`).join(', ')
  const read = contract.clauses.map(
    ({ id, proof }) => `${id} ${proof.kind === 'check' && proof.isGuard ? 'guard' : proof.kind}`,
  )
  if (told !== read.join(', '))
    remarks.addDamage(
      'events.jsonl',
      `version ${version} of the contract has other clauses in the log`,
      'The line was changed.',
    )
}

/** With `--approve`, and for whatever asks for less than before, a person said yes to exactly that text, before it counted. */
function auditApprovals(dossier: SessionFiles, versions: ContractVersion[], remarks: AuditProblems): void {
  const yes = selectEvents(dossier, 'contract.approved')
  for (const [at, each] of versions.entries()) {
    const { version, sha256, eventIndex, dilutions } = each
    const must = dossier.manifest?.requiresApproval === true || dilutions.length > 0
    const said = yes.filter(approved => approved.sha256 === sha256 && approved.place < eventIndex)
    if (!must || said.some(approved => isApprovalFor(dossier, approved, versions[at - 1]))) continue
    const why = dilutions.length > 0 ? `asks for less (${dilutions[0]})` : 'needed a yes (--approve)'
    remarks.addDamage(
      'events.jsonl',
      `version ${version} of the contract ${why}, and no person said yes to it`,
      'Nobody agreed to it.',
    )
  }
}

/** A yes is for one change of one sealed contract, and used up by it. An older dispatch did not say of which. */
function isApprovalFor(
  dossier: SessionFiles,
  yes: { sha256: string; place: number },
  before: ContractVersion | undefined,
): boolean {
  const asked = selectEvents(dossier, 'approval.requested').findLast(
    ({ sha256, place }) => sha256 === yes.sha256 && place < yes.place,
  )
  return (
    asked?.previousSha256 === undefined || (asked.previousSha256 === before?.sha256 && yes.place > before.eventIndex)
  )
}
