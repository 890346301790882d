import type { SessionStatus } from './status-types.ts'

/** What a person reads while the judge is to be asked again: why, and when. Undefined if it is not. Pure. */
export function describeJudgeWait(
  { judgeWait, closed }: Pick<SessionStatus, 'judgeWait' | 'closed'>,
  formatTime: (iso: string) => string,
  now = new Date(),
): string | undefined {
  if (judgeWait === null) return undefined
  const { reason, nextAt, until } = judgeWait
  if (closed !== undefined) return reason === '' ? undefined : `was waiting for the judge: ${reason}`
  if (reason === '') return 'waiting for the judge, which is being asked again'
  const isDue = Date.parse(nextAt) <= now.getTime()
  const next = isDue ? 'it is being asked again now' : `it is asked again at ${formatTime(nextAt)}`
  return `waiting for the judge: ${reason}; ${next}, until ${formatTime(until)} at the latest`
}

/**
 * Why the judge may not be asked again; undefined if it may. It may be asked only about the last round, by the contract that
 * is in force, and only for want of an answer: never after it has answered. Pure.
 */
export function explainJudgeRefusal(status: SessionStatus): string | undefined {
  const { judgeWait, judgeQuestion, verdict, closed, phase } = status
  if (judgeWait !== null) return undefined
  if (verdict && verdict.verdict !== 'INCONCLUSIVE') {
    const isCurrent = judgeQuestion === undefined || judgeQuestion.round === verdict.round
    if (isCurrent) return `the judge has answered, and the verdict is ${verdict.verdict}`
  }
  if (judgeQuestion === undefined) {
    if (verdict === undefined) return 'its work has not been judged yet'
    if (verdict.isUnanswered) return 'the contract was amended after the judge was asked'
    return `the verdict is INCONCLUSIVE, and the judge was not asked: ${verdict.reason}`
  }
  if (verdict?.round !== judgeQuestion.round)
    return closed === undefined ? 'the judge is being asked, or the work goes on' : undefined
  if (!verdict.isUnanswered)
    return `the judge has answered, and the verdict is INCONCLUSIVE all the same: ${verdict.reason}`
  if (closed === undefined && phase !== verdict.verdict) return 'the work goes on, and is judged again by itself'
  return undefined
}
