/** Node's own spec reporter. Before its summary it lists why tests were skipped, and how to have them run. */
import { Readable } from 'node:stream'
import type { TestEvent } from 'node:test/reporters'
import { spec as SpecReporter } from 'node:test/reporters'

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<unknown> {
  yield* Readable.from(withSkipReasons(source)).pipe(new SpecReporter())
}

/** The events, with a line for each reason to skip in front of the summary. */
async function* withSkipReasons(source: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  const reasons = new Map<string, number>()
  let isSummarized = false
  for await (const event of source) {
    if (event.type === 'test:pass' && typeof event.data.skip === 'string')
      reasons.set(event.data.skip, (reasons.get(event.data.skip) ?? 0) + 1)
    if (!isSummarized && event.type === 'test:diagnostic' && /^tests \d+$/.test(event.data.message)) {
      isSummarized = true
      for (const [reason, count] of reasons)
        yield { ...event, data: { ...event.data, message: `${count} not run: ${reason}` } }
    }
    yield event
  }
}
