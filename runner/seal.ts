import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exits, readUntrusted, writeAtomic } from '../host/index.ts'
import {
  type Commit,
  type Contract,
  describeProblems,
  type EvidenceRecord,
  evidenceText,
  type Problem,
  type ProofOf,
  parseContract,
  sentencesOf,
  uncovered,
} from '../session/index.ts'
import { unapproved } from './approval.ts'
import { runCheck } from './checks.ts'
import { hashOf } from './human.ts'
import { type Reply, type Running, refuse } from './running.ts'
import { readyFor } from './setup.ts'

/** `contract check`: what a seal would say, without sealing. */
export async function checkContract(running: Running): Promise<Reply> {
  if (running.status.contract)
    return {
      exit: 0,
      text: `The contract is sealed (${running.status.contract.sha256.slice(0, 12)}) and can no longer change. ${draftNote(running)}`,
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
  writeAtomic(paths.contractVersion(1), tried.text, 0o400)
  writeAtomic(paths.contract, tried.text, 0o400)
  writeAtomic(paths.plan, readUntrusted(path.join(paths.desk, 'plan.md'), 256 * 1024) ?? '')
  running.record({
    is: 'contract.sealed',
    sha256: hashOf(tried.text),
    clauses: tried.contract.clauses.map(({ id, sentence, proof }) => ({
      id,
      sentence: sentence.slice(0, 400),
      proof: proof.is === 'check' && proof.guard ? 'guard' : proof.is,
    })),
    uncovered: tried.uncovered.map(sentence => sentence.slice(0, 300)),
  })
  for (const record of tried.evidence) recordCheck(running, record)
  return undefined
}

/** The sealed contract, byte for byte as it was sealed; anything else is an integrity failure (exit 13). */
export function sealedContract({ session, status }: Running): Contract {
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

type Tried =
  | { ok: true; contract: Contract; text: string; uncovered: string[]; evidence: EvidenceRecord[] }
  | { ok: false; text: string }

async function tryContract(running: Running): Promise<Tried> {
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
    const record = await runOnBase(running, clause, clause.proof)
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

function baseOf({ status }: Running): Commit {
  if (!status.base) throw new Error('the base is not prepared')
  return status.base
}

async function runOnBase(
  running: Running,
  clause: Contract['clauses'][number],
  check: Extract<ProofOf, { is: 'check' }>,
): Promise<EvidenceRecord> {
  const at = baseOf(running)
  return runCheck(running.session.paths, clause, check, {
    side: 'base',
    round: 0,
    at,
    limitSeconds: running.config.CHECK_TIMEOUT_SEC,
    ready: await readyFor(running, at),
  })
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

function refuseContract(running: Running, problems: string): Reply {
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
    : 'The contract.md on your desk has changed since; only the sealed one counts.'
}
