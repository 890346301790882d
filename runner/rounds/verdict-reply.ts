import { exitCodes } from '#host/error.ts'
import type { VerdictRecord } from '#session/evidence'
import type { CommandReply, RunnerContext } from '../context.ts'

/** The verdict as the orchestrator reads it. */
export function createVerdictReply({ status }: RunnerContext, record: VerdictRecord): CommandReply {
  const exitCode = { PASS: exitCodes.ok, FAIL: exitCodes.fail, INCONCLUSIVE: exitCodes.inconclusive }[record.verdict]
  const clauses = record.clauses.map(clause => `  ${clause.id} ${clause.verdict}: ${clause.reason}`)
  const findings = record.findings.map(finding => `- ${finding}`)
  const roundsLeft = status.maxRounds - (record.round - status.roundOffset)
  const next =
    record.verdict !== 'PASS' && roundsLeft > 0 && status.verdict?.isFinal === false
      ? `Give these findings to a worker (spawn-worker …), then submit again. Rounds left: ${roundsLeft}.`
      : 'This is final. Report it to the human in a few lines, and stop.'
  const lines = [
    `${record.verdict}: ${record.reason}`,
    ...clauses,
    ...(findings.length > 0 ? ['Findings:', ...findings] : []),
    next,
  ]
  return { exitCode, text: lines.join('\n') }
}
