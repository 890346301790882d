import { sanitize, toOneLine } from '#host/text.ts'
import { type ClauseVerdict, isUndecidedGate } from '#session/evidence'
import type { Gate } from './packet/input.ts'

const MAX_FIELD_CHARS = 400
const MAX_OUTPUT_CHARS = 1000
const MAX_OUTPUT_LINES = 12

/** What to fix for one clause, as behavior: the sentence, what was expected and observed, and the judge's reason. */
export function listFindings(clause: ClauseVerdict, gate: Gate | undefined): string[] {
  const { id, sentence, verdict, judgement } = clause
  if (verdict === 'PASS') return []
  // When only the judge is missing there is nothing to fix.
  if (verdict === 'INCONCLUSIVE' && judgement === null && !isUndecidedGate(clause.gate)) return []
  const opinion = judgement && judgement.met !== 'yes' ? [`The judge: ${judgement.reason}`] : []
  return [[`${id}, ${verdict}: ${sentence}`, ...describeObserved(gate), ...opinion].join('\n')]
}

// --- internal ---

/** For the orchestrator, whose round this leaves open. */
const nothingRanRemedy =
  'Make this command run at least one test. A check runs on a clean copy of the committed work, without network and services, so a test that needs them skips itself there. If the tests cannot run, prove the clause by another check: `contract amend "why"`. If it is right that all are skipped, amend it with the line "- allow-skips"; the human must approve that. If the command does run tests, and its output only quotes such a summary, let it print less.'

function describeObserved(gate: Gate | undefined): string[] {
  if (gate === undefined) return []
  const record = gate.evidence.findLast(({ side }) => side === 'head')
  if (record === undefined || gate.gate === 'broken')
    return gate.reason === '' ? [] : [`Observed: ${toOneLine(gate.reason, MAX_FIELD_CHARS)}`]
  const reason = record.reason === '' ? '' : `; ${toOneLine(record.reason, MAX_FIELD_CHARS)}`
  const lines = [
    `Command: ${toOneLine(record.command, MAX_FIELD_CHARS)}`,
    `Expected: ${toOneLine(record.expected, MAX_FIELD_CHARS)}`,
    `Observed: exit ${record.exitCode ?? 'none'}${reason}`,
  ]
  if (gate.gate === 'nothing ran') lines.push(`To do: ${nothingRanRemedy}`)
  const tail = sanitize(record.outputTail.trimEnd()).slice(-MAX_OUTPUT_CHARS).split('\n').slice(-MAX_OUTPUT_LINES)
  return record.outcome === 'green' || tail.join('') === '' ? lines : [...lines, 'End of its output:', ...tail]
}
