import fs from 'node:fs'
import { readUntrusted } from '#host/fs'
import { toWholeWords } from '#host/text.ts'
import {
  type Contract,
  describeProblems,
  findUnmatchedPin,
  listExcludedSentences,
  listUncoveredSentences,
  parseContract,
  splitSentences,
} from '#session/contract'
import type { EvidenceRecord } from '#session/evidence'
import { isCheckClause } from '../checks/run-check.ts'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'
import { ensureDependencies } from '../dependencies/install.ts'
import { findDockerCheck, findVacuousCheck, getBaseCommit, listBaseFiles, runCheckOnBase } from './base-checks.ts'

const MAX_CONTRACT_BYTES = 256 * 1024
const MAX_RECORDED_PROBLEMS = 20
const MAX_PROBLEM_CHARS = 300

/** A draft that can be sealed, with the results of its checks on the base. */
export interface ContractDraft {
  contract: Contract
  text: string
  /** Sentences of the task that no clause covers. */
  uncovered: string[]
  /** Sentences of the task that it leaves out, each with its reason. */
  excluded: string[]
  evidence: EvidenceRecord[]
}

/** Read the draft and run its checks on the base, or record and answer its problems. `version` is the number it would get. */
export async function validateDraft(context: RunnerContext, version = 1): Promise<ContractDraft | CommandReply> {
  const { paths, manifest } = context.session
  const text = readDraft(context)
  if (text === undefined)
    return refuseDraft(
      context,
      'whole file: contract.md does not exist\n  fix: write it to contract.md in the folder you started in',
    )
  const { contract, problems } = parseContract(text, { allowsJudgedOnly: manifest.allowsJudgedOnly })
  if (problems.length > 0) return refuseDraft(context, describeProblems(problems))
  const base = getBaseCommit(context)
  const checks = contract.clauses.filter(isCheckClause)
  const dependencies = await ensureDependencies(context, base)
  if (!dependencies.ok && checks.length > 0)
    return refuseDraft(
      context,
      `no check can run: ${dependencies.reason}\n  fix: only the human can fix this. Report it with \`ask\`, and end your turn`,
    )
  const evidence: EvidenceRecord[] = []
  for (const clause of checks) {
    const { pins = [] } = clause.proof
    const unmatched = pins.length > 0 ? findUnmatchedPin(pins, await listBaseFiles(context)) : undefined
    if (unmatched !== undefined)
      problems.push({
        line: clause.line,
        message: `${clause.id} pins ${unmatched}, which matches no file of the unchanged tree`,
        remedy: 'Pin only existing files, such as the tests that the check runs.',
      })
    const docker = manifest.sandbox.kind === null ? [] : findDockerCheck(clause)
    problems.push(...docker)
    if (docker.length > 0) continue
    const record = await runCheckOnBase(context, clause, version)
    evidence.push(record)
    problems.push(...findVacuousCheck(clause, record))
  }
  if (problems.length > 0) return refuseDraft(context, describeProblems(problems))
  const sentences = splitSentences(fs.readFileSync(paths.task, 'utf8'))
  const excluded = listExcludedSentences(contract, sentences)
  return { contract, text, evidence, uncovered: listUncoveredSentences(contract, sentences), excluded }
}

/** Record the problems of a draft and answer them. */
function refuseDraft(context: RunnerContext, problems: string): CommandReply {
  const lines = problems.split('\n').filter(line => !line.startsWith('  '))
  context.record({
    type: 'contract.rejected',
    problems: lines.slice(0, MAX_RECORDED_PROBLEMS).map(line => toWholeWords(line, MAX_PROBLEM_CHARS)),
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

/** The draft in the orchestrator's folder, up to the size of a contract; undefined if it does not exist. */
export function readDraft({ session }: RunnerContext): string | undefined {
  return readUntrusted(session.paths.draftContract, MAX_CONTRACT_BYTES)?.toString('utf8')
}
