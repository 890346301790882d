import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exits, readUntrusted, writeAtomic } from '../host/index.ts'
import {
  type Commit,
  type Contract,
  type ContractClause,
  describeProblems,
  type EvidenceRecord,
  evidenceText,
  listing,
  matchesGlob,
  type Problem,
  type ProofOf,
  parseContract,
  readLog,
  sentencesOf,
  uncovered,
} from '../session/index.ts'
import { unapproved } from './approval.ts'
import { evidenceFor } from './evidence.ts'
import { hashOf } from './human.ts'
import { type Reply, type Running, refuse } from './running.ts'
import { readyFor } from './setup.ts'

/** `contract check`: what a seal would say, without sealing. */
export async function checkContract(running: Running): Promise<Reply> {
  if (running.status.contract)
    return {
      exit: 0,
      text: `The contract is sealed (${running.status.contract.sha256.slice(0, 12)}). ${draftNote(running)}`,
    }
  const tried = await tryContract(running)
  if (!tried.ok) return refuseContract(running, tried.text)
  return {
    exit: 0,
    text: `The contract holds: ${tried.contract.clauses.length} clauses, every check red or guarded on the base.${uncoveredNote(tried.uncovered)}\nNext: spawn-worker. The first spawn ${running.session.opening.approve ? 'asks the human to approve it, and seals it then' : 'seals it'}.`,
  }
}

/** Seal the draft on the desk, or answer why it cannot be sealed. Every check runs on the base first. */
export async function sealContract(running: Running): Promise<Reply | undefined> {
  if (running.status.contract) return undefined
  const tried = await tryContract(running)
  if (!tried.ok) return refuseContract(running, tried.text)
  const waits = unapproved(running, tried.text)
  if (waits) return waits
  const { paths } = running.session
  writeAtomic(paths.plan, readUntrusted(path.join(paths.desk, 'plan.md'), 256 * 1024) ?? '')
  keepContract(running, tried, 1)
  running.record({ is: 'contract.sealed', ...sealOf(tried) })
  layContract(running, tried)
  for (const record of tried.evidence) recordCheck(running, record)
  return undefined
}

/** The version on disk first, then the event that names it, then `contract.md`, which so never holds what no event knows. */
export function keepContract({ session }: Running, { text }: Drafted, version: number): void {
  writeAtomic(session.paths.contractVersion(version), text, 0o400)
}

export function layContract({ session }: Running, { text }: Drafted): void {
  writeAtomic(session.paths.contract, text, 0o400)
}

/**
 * Lay the version that counts as `contract.md`, where there is none yet or the one before it: so a runner that ended between the
 * event and the file left it. Whatever else stands there is somebody's doing, and stays.
 */
export function relayContract({ session: { paths }, status: { contract } }: Pick<Running, 'session' | 'status'>): void {
  if (!contract) return
  const read = (file: string) => readUntrusted(file, largest)
  const kept = read(paths.contractVersion(contract.version))
  if (!kept || hashOf(kept) !== contract.sha256) return
  const now = read(paths.contract)
  const before = contract.version > 1 ? read(paths.contractVersion(contract.version - 1)) : undefined
  const isLeft = contract.version > 1 ? before && now?.equals(before) : !fs.existsSync(paths.contract)
  if (isLeft) writeAtomic(paths.contract, kept, 0o400)
}

/** What the log says of a version of the contract. */
export function sealOf({ text, contract, uncovered: sentences }: Drafted) {
  return {
    sha256: hashOf(text),
    clauses: contract.clauses.map(({ id, sentence, proof }) => ({
      id,
      sentence: sentence.slice(0, 400),
      proof: proof.is === 'check' && proof.guard ? ('guard' as const) : proof.is,
    })),
    uncovered: sentences.map(sentence => sentence.slice(0, 300)),
  }
}

/** The sealed contract, byte for byte as it was sealed; anything else is an integrity failure (exit 13). */
export function sealedContract(running: Running): Contract {
  const { session, status } = running
  relayContract(running)
  const text = fs.readFileSync(session.paths.contract, 'utf8')
  if (hashOf(text) !== status.contract?.sha256) {
    throw new DispatchError('contract.md is not what was sealed: somebody has changed it', { exit: exits.integrity })
  }
  return parseContract(text, { judgedOnly: true }).contract
}

/** The ids in the draft on the desk; none when it does not read, which the seal will say. */
export function draftedClauses({ session }: Running): string[] {
  const draft = readUntrusted(path.join(session.paths.desk, 'contract.md'), 256 * 1024)?.toString('utf8') ?? ''
  const { contract, problems } = parseContract(draft, { judgedOnly: true })
  return problems.length > 0 ? [] : contract.clauses.map(clause => clause.id)
}

export function recordCheck(running: Running, record: EvidenceRecord): void {
  const { side, round, clause, outcome, why, milliseconds, id } = record
  const sha256 = hashOf(evidenceText(record))
  running.record({
    is: 'check.ran',
    side,
    round,
    clause,
    outcome,
    why: why.slice(0, 300),
    milliseconds,
    record: id,
    sha256,
  })
}

/** A contract as it lies on the desk, fit to be sealed, with what its checks show before any work. */
export interface Drafted {
  contract: Contract
  text: string
  uncovered: string[]
  evidence: EvidenceRecord[]
}

/** Read the draft on the desk and run its checks on the base, or say what is wrong with it. `version` is what it would be. */
export async function tryContract(
  running: Running,
  version = 1,
): Promise<({ ok: true } & Drafted) | { ok: false; text: string }> {
  const { paths, opening } = running.session
  const draft = readUntrusted(path.join(paths.desk, 'contract.md'), 256 * 1024)
  if (draft === undefined)
    return {
      ok: false,
      text: 'whole file: there is no contract.md on your desk\n  mend: write it to contract.md in the folder you started in',
    }
  const text = draft.toString('utf8')
  const { contract, problems } = parseContract(text, { judgedOnly: opening.judgedOnly })
  if (problems.length > 0) return { ok: false, text: describeProblems(problems) }
  const ready = await readyFor(running, baseOf(running))
  if (!ready.ok && contract.clauses.some(clause => clause.proof.is === 'check'))
    return {
      ok: false,
      text: `no check can run: ${ready.why}\n  mend: this is not yours to mend. Tell the human with \`ask\`, and end your turn`,
    }
  const evidence: EvidenceRecord[] = []
  const vacuous: Problem[] = []
  for (const clause of contract.clauses) {
    if (clause.proof.is !== 'check') continue
    const nowhere = await nowhereOf(running, clause.proof.pins ?? [])
    if (nowhere !== undefined) vacuous.push(pinsNothing(clause.line, clause.id, nowhere))
    const record = await onBase(running, clause, clause.proof, version)
    evidence.push(record)
    vacuous.push(...vacuity(clause.line, clause.id, clause.proof, record))
  }
  if (vacuous.length > 0) return { ok: false, text: describeProblems(vacuous) }
  return {
    ok: true,
    contract,
    text,
    evidence,
    uncovered: uncovered(contract, sentencesOf(fs.readFileSync(paths.task, 'utf8'))),
  }
}

/**
 * See that the log holds what every check of the contract shows on the base: a runner that died right after a seal left that to
 * its successor. What the check shows now is what it showed then, or the clause is not proved.
 */
export async function completeBase(running: Running, contract: Contract): Promise<void> {
  const version = running.status.contract?.version ?? 1
  const { events } = readLog(running.session.paths.events)
  const recorded = new Set(
    events.flatMap(event => (event.is === 'check.ran' && event.outcome !== 'could not run' ? [event.record] : [])),
  )
  for (const clause of contract.clauses) {
    if (clause.proof.is !== 'check' || recorded.has(baseRecord(version, clause.id))) continue
    recordCheck(running, await onBase(running, clause, clause.proof, version))
  }
}

function onBase(
  running: Running,
  clause: ContractClause,
  check: Extract<ProofOf, { is: 'check' }>,
  version: number,
): Promise<EvidenceRecord> {
  const id = baseRecord(version, clause.id)
  return evidenceFor(running, clause, check, { id, side: 'base', round: 0, at: baseOf(running) })
}

function baseRecord(version: number, clause: string): string {
  return version === 1 ? `base-${clause}` : `base-v${version}-${clause}`
}

/** More than a contract may have, in bytes. */
const largest = 256 * 1024 + 1

function baseOf({ status }: Running): Commit {
  if (!status.base) throw new Error('the base is not prepared')
  return status.base
}

/** The first of these pins that names no file of the base. */
async function nowhereOf(running: Running, pins: string[]): Promise<string | undefined> {
  if (pins.length === 0) return undefined
  const stood = await listing(running.session.paths, baseOf(running).commit)
  return pins.find(pin => !stood.some(({ path: file }) => matchesGlob(pin, file)))
}

function pinsNothing(line: number, id: string, pin: string): Problem {
  return {
    line,
    what: `${id} pins ${pin}, and no file of the tree as it is has that name`,
    remedy:
      'Pin what stands there already, such as the tests that the check runs; what is still to be made cannot be pinned.',
  }
}

/** A check that proves nothing is refused before any work is paid for. Pure. */
export function vacuity(
  line: number,
  id: string,
  { guard }: { guard: boolean },
  { outcome, why, command }: Pick<EvidenceRecord, 'outcome' | 'why' | 'command'>,
): Problem[] {
  if (outcome === 'could not run')
    return [
      {
        line,
        what: `the check of ${id} could not run on this machine: ${why} (\`${command}\`)`,
        remedy: 'Use a command that is here, or set "- limit:" if it needs longer.',
      },
    ]
  if (outcome === 'flaky')
    return [
      {
        line,
        what: `the check of ${id} is flaky on the tree as it is: ${why} (\`${command}\`), so it proves nothing`,
        remedy: 'Make it show the same on the same tree each time it is run: no clock, no chance, no network.',
      },
    ]
  if (outcome === 'green' && !guard)
    return [
      {
        line,
        what: `the check of ${id} is green already, before any work (\`${command}\`), so it proves nothing`,
        remedy: 'Make it fail on the tree as it is, or add the line "- guard" if it must merely stay true.',
      },
    ]
  if (outcome === 'red' && guard)
    return [
      {
        line,
        what: `the guard ${id} is red before any work: ${why} (\`${command}\`)`,
        remedy: 'A guard is true before and after. Remove "- guard", or mend the command.',
      },
    ]
  return []
}

/** Say what is wrong with the draft on the desk. */
export function refuseContract(running: Running, problems: string): Reply {
  running.record({
    is: 'contract.refused',
    problems: problems
      .split('\n')
      .filter(line => !line.startsWith('  '))
      .slice(0, 20)
      .map(line => line.slice(0, 300)),
  })
  return refuse(
    `The contract is not ready. Nothing was started.\n${problems}\nMend contract.md, then run \`contract check\` again.`,
  )
}

function uncoveredNote(sentences: string[]): string {
  return sentences.length === 0
    ? ''
    : `\nSentences of the task that no clause covers (name them in "- covers:", or under "## Not covered"):\n${sentences.map(sentence => `  ${sentence.slice(0, 160)}`).join('\n')}`
}

function draftNote({ session }: Running): string {
  const draft = readUntrusted(path.join(session.paths.desk, 'contract.md'), 256 * 1024)?.toString('utf8')
  return draft === fs.readFileSync(session.paths.contract, 'utf8')
    ? ''
    : 'The contract.md on your desk has changed since, and only the sealed one counts. `contract amend "why"` makes the change count; what asks for less waits for the human.'
}
