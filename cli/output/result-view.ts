import { quoteForShell } from '#host/shell-quote.ts'
import { sanitize } from '#host/text.ts'
import type { Session } from '#session'
import { computeState, describeJudgeWait, explainJudgeRefusal, type SessionStatus } from '#session/status'
import { findNextStep } from './next-step.ts'
import { formatLocalTime, paint, paintState, print } from './terminal.ts'

/** Print how a session ended or what it needs, clause by clause, and what to do next. */
export function printResult({ id, paths }: Session, status: SessionStatus): void {
  const { verdict } = status
  const letters = id.slice(-4)
  print()
  print(`${paintState({ state: computeState(status, 'alive') })}  ${sanitize(explainState(status))}`)
  for (const clause of status.clauses.filter(known => known.verdict))
    print(`  ${clause.id.padEnd(4)} ${clause.verdict?.padEnd(12)} ${sanitize(clause.sentence)}`)
  print()
  if (verdict) {
    const fetch = `git fetch ${quoteForShell(paths.bareRepository)} judged`
    print(`  work     ${fetch}     (commit ${verdict.commit.slice(0, 10)})`)
    print(`  judged   independence: ${sanitize(verdict.independence)}`)
  }
  print(`  files    ${paths.outputs}`)
  print(`  record   dispatch show ${letters}${verdict ? `, ${paths.verdictText}` : ''}`)
  if (explainJudgeRefusal(status) === undefined) print(`  again    dispatch judge ${letters} asks the judge again`)
  if (status.phase === 'FAIL') print(`  again    dispatch retry ${letters} tries the task again, with what was found`)
  const nextStep = findNextStep(status, letters)
  if (nextStep) print(paint('bold', `  ${nextStep.label.padEnd(8)} ${nextStep.text}`))
}

/** What is asked or wrong now comes before an earlier verdict. Pure. */
function explainState(status: SessionStatus): string {
  const { phase, question, problem, verdict, closed } = status
  const current = phase === 'asking' ? question : phase === 'needs you' || phase === 'failed' ? problem : undefined
  const waiting = describeJudgeWait(status, formatLocalTime)
  const voided = verdict?.voidReason && `VOID: ${verdict.voidReason}`
  return current ?? waiting ?? voided ?? verdict?.reason ?? problem ?? closed?.reason ?? ''
}
