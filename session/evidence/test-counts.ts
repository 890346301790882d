import { z } from 'zod'
import { formatCount } from '#host/text.ts'

const count = z.number().int().nonnegative()

/**
 * How many tests a check ran, as its output says. `ran` includes the `failed` ones; `skipped` are the others that exist.
 * `cached` is a result of an earlier run, `unknown` a test run that prints no counts.
 */
export const TestCounts = z.union([
  z.object({ ran: count, failed: count, skipped: count }),
  z.enum(['unknown', 'cached']),
])

export type TestCounts = z.infer<typeof TestCounts>

/** `12 ran, 1 failed, 3 skipped`, `count unknown` or `cached`; empty for a check that is not a test run. Pure. */
export function formatTestCounts(tests: TestCounts | undefined): string {
  if (tests === undefined) return ''
  if (typeof tests === 'string') return tests === 'unknown' ? 'count unknown' : tests
  const { ran, failed, skipped } = tests
  const others = [failed > 0 && `${failed} failed`, skipped > 0 && `${skipped} skipped`]
  return [`${ran} ran`, ...others].filter(part => part !== false).join(', ')
}

/** Why a test run proves nothing: no test ran, or all were skipped; undefined if one ran, or if that is unknown. Pure. */
export function explainNothingRan(tests: TestCounts | undefined): string | undefined {
  if (typeof tests !== 'object' || tests.ran > 0) return undefined
  return tests.skipped === 0 ? 'no test ran' : `no test ran: ${describeAll(tests.skipped)} skipped`
}

/** What a reader should know about the tests of a check, compared with before the work; undefined without any. Pure. */
export function describeTestChanges(before: TestCounts | undefined, after: TestCounts | undefined): string | undefined {
  if (typeof before === 'object' && before.ran > 0 && (after === undefined || after === 'unknown'))
    return `prints no count of tests any more, ${formatCount(before.ran, 'test')} ran before the work`
  if (typeof after !== 'object') return undefined
  const { ran, skipped } = typeof before === 'object' ? before : after
  const changes = [
    after.ran < ran && `ran ${formatCount(after.ran, 'test')}, ${ran} before the work`,
    after.skipped > skipped && `skipped ${formatCount(after.skipped, 'test')}, ${skipped} before the work`,
  ].filter(change => change !== false)
  return changes.length === 0 ? undefined : changes.join(', ')
}

function describeAll(tests: number): string {
  return tests === 1 ? 'the only one was' : `all ${tests} were`
}
