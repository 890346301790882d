import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { type ChannelTest, testChannels } from '#notify'
import { formatResults } from '../doctor/result.ts'
import { print } from '../output/terminal.ts'
import { createTestNotification, toDoctorResult } from './test-result.ts'
/** `dispatch notify test`: one notice by every channel that is set. Answers the exit code. */
export async function runChannelTest(config: Config, json: boolean): Promise<number> {
  const proofs = await testChannels(createTestNotification('dispatch notify test'), config)
  if (proofs.length === 0)
    throw new DispatchError('no channel is set: nobody would be told of anything', {
      exitCode: exitCodes.usage,
      remedy: '`dispatch notify setup` sets up a phone; DESKTOP=on is this desktop.',
    })
  if (json) print(JSON.stringify(proofs))
  else printChannelTests(proofs, config)
  return proofs.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.upstream
}

export function printChannelTests(proofs: ChannelTest[], config: Config): void {
  const results = proofs.map(proof => toDoctorResult(proof, config))
  print(formatResults(results, { width: process.stdout.columns ?? 80, mac: process.platform === 'darwin' }))
}
