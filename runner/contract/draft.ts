import fs from 'node:fs'
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

const MAX_CONTRACT_BYTES = 256 * 1024
const MAX_RECORDED_PROBLEMS = 20

/** A draft that can be sealed, with the results of its checks on the base. */
export interface ContractDraft {
  contract: Contract
  text: string
  /** Sentences of the task that no clause covers. */
  uncovered: string[]
  evidence: EvidenceRecord[]
}

/** Read the draft and run its checks on the base, or answer its problems. `version` is the number it would get. */
export async function validateDraft(
  context: RunnerContext,
  version = 1,
): Promise<({ ok: true } & ContractDraft) | { ok: false; text: string }> {
  const { paths, manifest } = context.session
  const text = readDraft(context)
  if (text === undefined)
    return {
      ok: false,
      text: 'whole file: contract.md does not exist\n  fix: write it to contract.md in the folder you started in',
    }
  const { contract, problems } = parseContract(text, { allowsJudgedOnly: manifest.allowsJudgedOnly })
  if (problems.length > 0) return { ok: false, text: describeProblems(problems) }
  const dependencies = await ensureDependencies(context, getBaseCommit(context))
  if (!dependencies.ok && contract.clauses.some(clause => clause.proof.kind === 'check'))
    return {
      ok: false,
      text: `no check can run: ${dependencies.reason}\n  fix: only the human can fix this. Report it with \`ask\`, and end your turn`,
    }
  const evidence: EvidenceRecord[] = []
  const checkProblems: ContractProblem[] = []
  for (const clause of contract.clauses) {
    if (clause.proof.kind !== 'check') continue
    const unmatched = await findUnmatchedPin(context, clause.proof.pins ?? [])
    if (unmatched !== undefined) checkProblems.push(createUnmatchedPinProblem(clause.line, clause.id, unmatched))
    const record = await runCheckOnBase(context, clause, clause.proof, version)
    evidence.push(record)
    checkProblems.push(...findVacuousCheck(clause.line, clause.id, clause.proof, record))
  }
  if (checkProblems.length > 0) return { ok: false, text: describeProblems(checkProblems) }
  return {
    ok: true,
    contract,
    text,
    evidence,
    uncovered: listUncoveredSentences(contract, splitSentences(fs.readFileSync(paths.task, 'utf8'))),
  }
}

/** Record the problems of a draft and answer them. */
export function refuseDraft(context: RunnerContext, problems: string): CommandReply {
  context.record({
    type: 'contract.rejected',
    problems: problems
      .split('\n')
      .filter(line => !line.startsWith('  '))
      .slice(0, MAX_RECORDED_PROBLEMS)
      .map(line => line.slice(0, 300)),
  })
  return refuse(
    `The contract is not ready. Nothing was started.\n${problems}\nFix contract.md, then run \`contract check\` again.`,
  )
}

/** The clause ids in the draft; empty if it has problems, which the seal reports. */
export function listDraftClauseIds(context: RunnerContext): string[] {
  const { contract, problems } = parseContract(readDraft(context) ?? '', { allowsJudgedOnly: true })
  return problems.length > 0 ? [] : contract.clauses.map(clause => clause.id)
}

/** The first of these pins that matches no file of the base. */
async function findUnmatchedPin(context: RunnerContext, pins: string[]): Promise<string | undefined> {
  if (pins.length === 0) return undefined
  const files = await listCommitFiles(context.session.paths, getBaseCommit(context).commit)
  return pins.find(pin => !files.some(({ path: file }) => matchesGlob(pin, file)))
}

function createUnmatchedPinProblem(line: number, id: string, pin: string): ContractProblem {
  return {
    line,
    message: `${id} pins ${pin}, which matches no file of the unchanged tree`,
    remedy: 'Pin only existing files, such as the tests that the check runs.',
  }
}

/** The draft in the orchestrator's folder, up to the size of a contract; undefined if it does not exist. */
export function readDraft({ session }: RunnerContext): string | undefined {
  return readUntrusted(session.paths.draftContract, MAX_CONTRACT_BYTES)?.toString('utf8')
}
