import { sandboxHere } from '../../host/index.ts'
import { type Symptom, weak } from './symptom.ts'

/** Nothing is fenced in yet, and that is said; and whether this machine has what a sandbox needs. */
export async function sandbox(): Promise<Symptom> {
  const yet = 'agents and checks run with your rights: no sandbox is built yet'
  const here = await sandboxHere()
  if ('kind' in here) return weak('sandbox', `${yet}. ${here.kind} works here`)
  return weak('sandbox', `${yet}. There could be none: ${here.missing}`, { linux: here.remedy, mac: here.remedy })
}
