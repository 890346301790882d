import { oneLine, printable } from '../host/index.ts'
import { type ClauseVerdict, type ContractClause, isUnproved } from '../session/index.ts'
import type { Gate } from './packet.ts'

/** What is to be mended for one clause, in terms of behaviour: should, expected, seen, and the judge's word. */
export function findingsOf(
  clause: ContractClause,
  verdict: ClauseVerdict | undefined,
  gate: Gate | undefined,
): string[] {
  if (verdict === undefined || verdict.verdict === 'PASS' || !canBeMended(verdict)) return []
  const words = verdict.judge && verdict.judge.met !== 'yes' ? [`The judge: ${verdict.judge.why}`] : []
  const parts = [`${clause.id}, ${verdict.verdict}: ${clause.sentence}`, ...seen(gate), ...words]
  return [parts.join('\n')]
}

// --- internal ---

/** When only the judge is missing there is nothing to mend. */
function canBeMended({ verdict, judge, gate }: ClauseVerdict): boolean {
  return verdict === 'FAIL' || judge !== null || isUnproved(gate)
}

function seen(gate: Gate | undefined): string[] {
  if (gate === undefined) return []
  const record = gate.evidence.findLast(({ side }) => side === 'head')
  if (record === undefined || gate.gate === 'broken')
    return gate.because === '' ? [] : [`Seen: ${oneLine(gate.because, 400)}`]
  const lines = [
    `Run: ${oneLine(record.command, 400)}`,
    `Expected: ${oneLine(record.expected, 400)}`,
    `Seen: exit ${record.exit ?? 'none'}${record.why === '' ? '' : `; ${oneLine(record.why, 400)}`}`,
  ]
  const end = printable(record.tail.trimEnd()).slice(-1000).split('\n').slice(-12)
  return record.outcome === 'green' || end.join('') === '' ? lines : [...lines, 'The end of its output:', ...end]
}
