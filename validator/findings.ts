import { sanitize, toOneLine } from '#host/text.ts'
import type { ContractClause } from '#session/contract'
import { type ClauseVerdict, isUndecidedGate } from '#session/evidence'
import type { Gate } from './packet/input.ts'
/** What is to be mended for one clause, in terms of behaviour: should, expected, seen, and the judge's word. */
export function listFindings(
  clause: ContractClause,
  verdict: ClauseVerdict | undefined,
  gate: Gate | undefined,
): string[] {
  if (verdict === undefined || verdict.verdict === 'PASS' || !canBeFixed(verdict)) return []
  const words = verdict.judgement && verdict.judgement.met !== 'yes' ? [`The judge: ${verdict.judgement.reason}`] : []
  const parts = [`${clause.id}, ${verdict.verdict}: ${clause.sentence}`, ...describeObserved(gate), ...words]
  return [parts.join('\n')]
}

// --- internal ---

/** When only the judge is missing there is nothing to mend. */
function canBeFixed({ verdict, judgement, gate }: ClauseVerdict): boolean {
  return verdict === 'FAIL' || judgement !== null || isUndecidedGate(gate)
}

function describeObserved(gate: Gate | undefined): string[] {
  if (gate === undefined) return []
  const record = gate.evidence.findLast(({ side }) => side === 'head')
  if (record === undefined || gate.gate === 'broken')
    return gate.reason === '' ? [] : [`Seen: ${toOneLine(gate.reason, 400)}`]
  const lines = [
    `Run: ${toOneLine(record.command, 400)}`,
    `Expected: ${toOneLine(record.expected, 400)}`,
    `Seen: exit ${record.exitCode ?? 'none'}${record.reason === '' ? '' : `; ${toOneLine(record.reason, 400)}`}`,
  ]
  const end = sanitize(record.outputTail.trimEnd()).slice(-1000).split('\n').slice(-12)
  return record.outcome === 'green' || end.join('') === '' ? lines : [...lines, 'The end of its output:', ...end]
}
