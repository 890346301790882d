import fs from 'node:fs'
import path from 'node:path'
import { readUntrusted } from '../host/index.ts'
import {
  type Contract,
  describeProblems,
  type EvidenceRecord,
  listing,
  matchesGlob,
  type Problem,
  parseContract,
  sentencesOf,
  uncovered,
} from '../session/index.ts'
import { baseOf, onBase, vacuity } from './base.ts'
import { type Reply, type Running, refuse } from './running.ts'
import { readyFor } from './setup.ts'

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
  const text = draftOf(running)
  if (text === undefined)
    return {
      ok: false,
      text: 'whole file: there is no contract.md on your desk\n  mend: write it to contract.md in the folder you started in',
    }
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

/** The ids in the draft on the desk; none when it does not read, which the seal will say. */
export function draftedClauses(running: Running): string[] {
  const { contract, problems } = parseContract(draftOf(running) ?? '', { judgedOnly: true })
  return problems.length > 0 ? [] : contract.clauses.map(clause => clause.id)
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

/** The text of the draft on the desk, of which no more is read than a contract may have; undefined where there is none. */
export function draftOf({ session }: Running): string | undefined {
  return readUntrusted(path.join(session.paths.desk, 'contract.md'), 256 * 1024)?.toString('utf8')
}
