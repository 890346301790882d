import { type Config, DispatchError, exits } from '../../host/index.ts'
import { type Proof, prove } from '../../notify/index.ts'
import { layout } from '../doctor/symptom.ts'
import { print } from '../terminal.ts'
import { symptomOf, testNotice } from './proof.ts'

/** `dispatch notify test`: one notice by every channel that is set. Answers the exit code. */
export async function test(config: Config, json: boolean): Promise<number> {
  const proofs = await prove(testNotice('dispatch notify test'), config)
  if (proofs.length === 0)
    throw new DispatchError('no channel is set: nobody would be told of anything', {
      exit: exits.usage,
      remedy: '`dispatch notify setup` sets up a phone; DESKTOP=on is this desktop.',
    })
  if (json) print(JSON.stringify(proofs))
  else printProofs(proofs, config)
  return proofs.every(({ ok }) => ok) ? exits.ok : exits.upstream
}

export function printProofs(proofs: Proof[], config: Config): void {
  const symptoms = proofs.map(proof => symptomOf(proof, config))
  print(layout(symptoms, { width: process.stdout.columns ?? 80, mac: process.platform === 'darwin' }))
}
