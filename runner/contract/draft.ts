import fs from 'node:fs'
import path from 'node:path'
import { readUntrusted } from '#host/fs'
import {
  type Contract,
  type ContractProblem,
  describeProblems,
  listUncoveredSentences,
  matchesGlob,
  parseContract,
  splitSentences,
} from '#session/contract'
import type { EvidenceRecord } from '#session/evidence'
import { listCommitFiles } from '#session/repository'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'
import { ensureDependencies } from '../dependencies/install.ts'
import { findVacuousCheck, getBaseCommit, runCheckOnBase } from './base-checks.ts'

/** A contract as it lies on the desk, fit to be sealed, with what its checks show before any work. */
export interface ContractDraft {
  contract: Contract
  text: string
  uncovered: string[]
  evidence: EvidenceRecord[]
}

/** Read the draft on the desk and run its checks on the base, or say what is wrong with it. `version` is what it would be. */
export async function validateDraft(
  context: RunnerContext,
  version = 1,
): Promise<({ ok: true } & ContractDraft) | { ok: false; text: string }> {
  const { paths, manifest } = context.session
  const text = readDraft(context)
  if (text === undefined)
    return {
      ok: false,
      text: 'whole file: there is no contract.md on your desk\n  mend: write it to contract.md in the folder you started in',
    }
  const { contract, problems } = parseContract(text, { allowsJudgedOnly: manifest.allowsJudgedOnly })
  if (problems.length > 0) return { ok: false, text: describeProblems(problems) }
  const ready = await ensureDependencies(context, getBaseCommit(context))
  if (!ready.ok && contract.clauses.some(clause => clause.proof.kind === 'check'))
    return {
      ok: false,
      text: `no check can run: ${ready.reason}\n  mend: this is not yours to mend. Tell the human with \`ask\`, and end your turn`,
    }
  const evidence: EvidenceRecord[] = []
  const vacuous: ContractProblem[] = []
  for (const clause of contract.clauses) {
    if (clause.proof.kind !== 'check') continue
    const nowhere = await findUnmatchedPin(context, clause.proof.pins ?? [])
    if (nowhere !== undefined) vacuous.push(createUnmatchedPinProblem(clause.line, clause.id, nowhere))
    const record = await runCheckOnBase(context, clause, clause.proof, version)
    evidence.push(record)
    vacuous.push(...findVacuousCheck(clause.line, clause.id, clause.proof, record))
  }
  if (vacuous.length > 0) return { ok: false, text: describeProblems(vacuous) }
  return {
    ok: true,
    contract,
    text,
    evidence,
    uncovered: listUncoveredSentences(contract, splitSentences(fs.readFileSync(paths.task, 'utf8'))),
  }
}

/** Say what is wrong with the draft on the desk. */
export function refuseDraft(context: RunnerContext, problems: string): CommandReply {
  context.record({
    type: 'contract.rejected',
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
export function listDraftClauseIds(context: RunnerContext): string[] {
  const { contract, problems } = parseContract(readDraft(context) ?? '', { allowsJudgedOnly: true })
  return problems.length > 0 ? [] : contract.clauses.map(clause => clause.id)
}

/** The first of these pins that names no file of the base. */
async function findUnmatchedPin(context: RunnerContext, pins: string[]): Promise<string | undefined> {
  if (pins.length === 0) return undefined
  const stood = await listCommitFiles(context.session.paths, getBaseCommit(context).commit)
  return pins.find(pin => !stood.some(({ path: file }) => matchesGlob(pin, file)))
}

function createUnmatchedPinProblem(line: number, id: string, pin: string): ContractProblem {
  return {
    line,
    message: `${id} pins ${pin}, and no file of the tree as it is has that name`,
    remedy:
      'Pin what stands there already, such as the tests that the check runs; what is still to be made cannot be pinned.',
  }
}

/** The text of the draft on the desk, of which no more is read than a contract may have; undefined where there is none. */
export function readDraft({ session }: RunnerContext): string | undefined {
  return readUntrusted(path.join(session.paths.orchestratorFolder, 'contract.md'), 256 * 1024)?.toString('utf8')
}
