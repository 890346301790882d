import path from 'node:path'
import { sha256 } from '#host/hash.ts'
import { parseStored } from '#host/stored-json.ts'
import type { Contract } from '../contract/clause.ts'
import { parseContract } from '../contract/contract.ts'
import type { Event, EventType } from '../log/event.ts'
import { type Log, parseLog } from '../log/log.ts'
import { SessionManifest } from '../manifest.ts'
import type { SessionPaths } from '../paths.ts'
import { computeStatus } from '../status/status.ts'
import type { SessionStatus } from '../status/status-types.ts'
import type { IsolatedRepository } from './isolated-git.ts'
import { MAX_BYTES, parseJsonBytes, type ReadResult, readCapped } from './read-capped.ts'

/** The parts of an audit, in its order. */
export const auditParts = [
  'log',
  'manifest',
  'seal',
  'evidence',
  'packet',
  'verdict',
  'landing',
  'pull request',
  'worktree',
  'index',
] as const
export type AuditPart = (typeof auditParts)[number]

/** Something that an audit found in one file: damage, or only a note. */
export interface AuditProblem {
  part: AuditPart
  isDamage: boolean
  /** Relative to the session's folder. */
  file: string
  message: string
  /** What the damage means; empty for a note. */
  consequence: string
}

/** An event with its index in the log. */
export type IndexedEvent<Type extends EventType> = Event<Type> & { index: number }

/** One sealed version of the contract. */
export interface ContractVersion extends Pick<IndexedEvent<'contract.amended'>, 'version' | 'sha256' | 'dilutions'> {
  /** The index of its event in the log. */
  index: number
  clauses: Event<'contract.sealed'>['clauses']
  /** Undefined if no file has the sealed text any more. */
  contract: Contract | undefined
}

/** A session's record, which may have been built to do harm, and the problems that the parts of an audit find. */
export class Audit {
  readonly problems: AuditProblem[] = []
  /** The part that is being checked. */
  part: AuditPart = 'log'
  readonly id: string
  readonly paths: SessionPaths
  /** `session.json`, if it is valid. */
  readonly manifest: SessionManifest | undefined
  readonly log: Log
  /** Why the log could not be read at all. */
  readonly logError: string | undefined
  /** The head of the log, or its first digits, from another source. */
  readonly knownHead: string | undefined
  readonly status: SessionStatus
  readonly versions: ContractVersion[]
  /** Undefined where git must not run, for the reason that `repositoryError` names. */
  readonly repository: IsolatedRepository | undefined
  readonly repositoryError: string

  constructor(paths: SessionPaths, repository: IsolatedRepository | string, knownHead: string | undefined) {
    this.paths = paths
    this.manifest = parseStored(SessionManifest, parseJsonBytes(readCapped(paths.manifest))).data
    this.id = this.manifest?.id ?? path.basename(paths.folder)
    const logFile = readCapped(paths.events, MAX_BYTES.log)
    this.log = parseLog(logFile.bytes ?? Buffer.alloc(0), this.id)
    this.logError = logFile.reason
    this.knownHead = knownHead
    this.status = computeStatus(this.log.events)
    this.versions = this.listVersions()
    this.repository = typeof repository === 'string' ? undefined : repository
    this.repositoryError = typeof repository === 'string' ? repository : ''
  }

  addDamage(file: string, message: string, consequence: string): void {
    this.problems.push({ part: this.part, isDamage: true, file: this.nameFile(file), message, consequence })
  }

  addNote(file: string, message: string): void {
    this.problems.push({ part: this.part, isDamage: false, file: this.nameFile(file), message, consequence: '' })
  }

  /** Check that a file could be read, and has the hash of the log, if that has one. */
  checkHash(
    { file, bytes, reason }: ReadResult,
    recordedSha256: string | undefined,
    { lost, changed: [message, consequence] }: { lost: string; changed: [message: string, consequence: string] },
  ): void {
    if (bytes === undefined) this.addDamage(file, reason, lost)
    else if (recordedSha256 !== undefined && sha256(bytes) !== recordedSha256)
      this.addDamage(file, message, consequence)
  }

  /** Select all events of one type. */
  selectEvents<Type extends EventType>(type: Type): IndexedEvent<Type>[] {
    const isOfType = (event: Event): event is Event & Event<Type> => event.type === type
    return this.log.events.flatMap((event, index) => (isOfType(event) ? [{ ...event, index }] : []))
  }

  private nameFile(file: string): string {
    return path.relative(this.paths.folder, file)
  }

  private listVersions(): ContractVersion[] {
    const first = this.selectEvents('contract.sealed').map(event => ({ ...event, version: 1, dilutions: [] }))
    return [...first, ...this.selectEvents('contract.amended')]
      .sort((a, b) => a.index - b.index)
      .map(({ version, sha256: sealedSha256, index, dilutions, clauses }) => {
        const text = [this.paths.contractVersion(version), this.paths.contract]
          .map(file => readCapped(file).bytes)
          .find(bytes => bytes && sha256(bytes) === sealedSha256)
          ?.toString('utf8')
        const contract = text === undefined ? undefined : parseContract(text, { allowsJudgedOnly: true }).contract
        return { version, sha256: sealedSha256, index, dilutions, clauses, contract }
      })
  }
}

/** List clauses with one of their fields, to compare them: `C1 PASS, C2 FAIL`. */
export function listClauses<Field extends string>(
  clauses: ({ id: string } & Record<Field, string>)[],
  field: Field,
): string {
  return clauses.map(clause => `${clause.id} ${clause[field]}`).join(', ')
}
