import type { RunnerContext } from './context.ts'

/** A deadline that passes without a verdict is recorded once. */
export function checkDeadline(context: RunnerContext): void {
  const { session, status } = context
  const { deadline } = session.manifest
  const { isPastDeadline, verdict, phase } = status
  if (deadline === null || isPastDeadline || verdict?.isFinal || phase === 'failed') return
  if (Date.now() >= Date.parse(deadline)) context.record({ type: 'deadline.passed', deadline })
}
