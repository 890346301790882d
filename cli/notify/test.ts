import type { Config } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { type ChannelTest, testChannels } from '#notify'
import { UsageError } from '../command.ts'
import { printResults } from '../doctor/result.ts'
import { print } from '../output/terminal.ts'
import { createTestNotification, toDoctorResult } from './test-result.ts'

/** `dispatch notify test`: one notification by every channel that is set. Returns the exit code. */
export async function runChannelTests(config: Config, json: boolean): Promise<number> {
  const tests = await testChannels(createTestNotification('dispatch notify test'), config)
  if (tests.length === 0)
    throw new UsageError(
      'no channel is set, so you would get no notifications',
      'Run `dispatch notify setup` to set up a phone, or set DESKTOP=on for this desktop.',
    )
  if (json) print(JSON.stringify(tests))
  else printChannelTests(tests, config)
  return tests.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.upstream
}

export function printChannelTests(tests: ChannelTest[], config: Config): void {
  printResults(tests.map(test => toDoctorResult(test, config)))
}
