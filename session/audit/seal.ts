import { type Contract, parseContract } from '../contract.ts'
import type { Event } from '../event.ts'
import { caps, type Dossier, eventsOf, hashOf, look, named, type Seen } from './dossier.ts'
import { type Remark, Remarks } from './remark.ts'

/** One version of the contract: what the log says of it, and its text where that is what was sealed. */
export interface Version {
  version: number
  sha256: string
  /** Its place in the log. */
  place: number
  dilutions: string[]
  clauses: Extract<Event, { is: 'contract.sealed' }>['clauses']
  contract: Contract | undefined
}

/** Every version of the contract that was sealed, in order. */
export function versionsOf(dossier: Dossier): Version[] {
  const sealed = eventsOf(dossier, 'contract.sealed').map(event => ({
    ...event,
    version: 1,
    dilutions: [] as string[],
  }))
  return [...sealed, ...eventsOf(dossier, 'contract.amended')]
    .sort((a, b) => a.place - b.place)
    .map(({ version, sha256, place, dilutions, clauses }) => {
      const kept = [dossier.paths.contractVersion(version), dossier.paths.contract].map(
        file => look(file, caps.record).bytes,
      )
      const text = kept.find(bytes => bytes && hashOf(bytes) === sha256)?.toString('utf8')
      const contract = text === undefined ? undefined : parseContract(text, { judgedOnly: true }).contract
      return { version, sha256, place, dilutions, clauses, contract }
    })
}

/** Is each version of the contract what was sealed, and did a person say yes where one had to? */
export function auditSeal(dossier: Dossier, versions: Version[]): Remark[] {
  const remarks = new Remarks('seal')
  const { paths, log } = dossier
  const now = look(paths.contract, caps.record)
  const last = versions.at(-1)
  if (!last) {
    if (now.why !== 'is gone')
      remarks.damage('contract.md', 'is there, though no line says that it was sealed', 'Nobody is bound to it.')
    else remarks.note('contract.md', 'nothing is sealed yet')
    return remarks.all
  }
  if (isLeftBehind(dossier, now, versions))
    remarks.note(
      'contract.md',
      `is not version ${last.version} yet: its runner ended before it was laid; the next one does it`,
    )
  else if (now.bytes === undefined)
    remarks.damage('contract.md', now.why, 'What was promised cannot be read there any more.')
  else if (hashOf(now.bytes) !== last.sha256)
    remarks.damage('contract.md', 'is NOT what was sealed', 'The work was judged by another contract than this.')
  for (const each of versions) auditVersion(dossier, each, remarks)
  if (versions.some(({ version }, at) => version !== at + 1))
    remarks.damage(
      'events.jsonl',
      'the versions of the contract are not numbered one by one',
      'One of them was removed or added.',
    )
  auditApprovals(dossier, versions, remarks)
  if (log.chainedFrom === null && versions.length > 0 && look(paths.contractVersion(1), caps.record).why === 'is gone')
    remarks.note(named(dossier, paths.contractVersion(1)), 'was not kept by that dispatch')
  return remarks.all
}

// --- internal ---

/** Has a crash come between the event that names a version and `contract.md`? Then the version before it stands there, or none. */
function isLeftBehind({ paths, status }: Dossier, now: Seen, versions: Version[]): boolean {
  const [before, last] = [versions.at(-2), versions.at(-1)]
  if (!last || status.closed !== undefined || status.phase === status.verdict?.verdict) return false
  const kept = look(paths.contractVersion(last.version), caps.record).bytes
  if (!kept || hashOf(kept) !== last.sha256) return false
  return before ? now.bytes !== undefined && hashOf(now.bytes) === before.sha256 : now.why === 'is gone'
}

function auditVersion(dossier: Dossier, { version, sha256, clauses, contract }: Version, remarks: Remarks): void {
  const file = dossier.paths.contractVersion(version)
  const kept = look(file, caps.record)
  const isOld = dossier.log.chainedFrom === null && kept.why === 'is gone'
  if (kept.bytes === undefined && !isOld)
    remarks.damage(named(dossier, file), kept.why, `Version ${version} of the contract cannot be shown any more.`)
  else if (kept.bytes && hashOf(kept.bytes) !== sha256)
    remarks.damage(named(dossier, file), 'is NOT what was sealed', `This is not version ${version} of the contract.`)
  if (!contract) return
  const told = clauses.map(({ id, proof }) => `${id} ${proof}`).join(', ')
  const read = contract.clauses.map(
    ({ id, proof }) => `${id} ${proof.is === 'check' && proof.guard ? 'guard' : proof.is}`,
  )
  if (told !== read.join(', '))
    remarks.damage(
      'events.jsonl',
      `version ${version} of the contract has other clauses in the log`,
      'The line was changed.',
    )
}

/** With `--approve`, and for whatever asks for less than before, a person said yes to exactly that text, before it counted. */
function auditApprovals(dossier: Dossier, versions: Version[], remarks: Remarks): void {
  const yes = eventsOf(dossier, 'contract.approved')
  for (const [at, each] of versions.entries()) {
    const { version, sha256, place, dilutions } = each
    const must = dossier.opening?.approve === true || dilutions.length > 0
    const said = yes.filter(approved => approved.sha256 === sha256 && approved.place < place)
    if (!must || said.some(approved => isFor(dossier, approved, versions[at - 1]))) continue
    const why = dilutions.length > 0 ? `asks for less (${dilutions[0]})` : 'needed a yes (--approve)'
    remarks.damage(
      'events.jsonl',
      `version ${version} of the contract ${why}, and no person said yes to it`,
      'Nobody agreed to it.',
    )
  }
}

/** A yes is for one change of one sealed contract, and used up by it. An older dispatch did not say of which. */
function isFor(dossier: Dossier, yes: { sha256: string; place: number }, before: Version | undefined): boolean {
  const asked = eventsOf(dossier, 'approval.asked').findLast(
    ({ sha256, place }) => sha256 === yes.sha256 && place < yes.place,
  )
  return asked?.from === undefined || (asked.from === before?.sha256 && yes.place > before.place)
}
