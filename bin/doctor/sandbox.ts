import { type Config, sandboxHere } from '../../host/index.ts'
import { bad, good, type Symptom, weak } from './symptom.ts'

/** Whether this machine can hold agents and checks in a sandbox, and whether they are. */
export async function sandbox({ SANDBOX: wanted }: Pick<Config, 'SANDBOX'>): Promise<Symptom> {
  const here = await sandboxHere()
  if ('kind' in here)
    return wanted === 'off'
      ? weak('sandbox', `agents and checks run with your rights (SANDBOX=off); ${here.kind} would hold them`)
      : good('sandbox', here.kind)
  const fix = { linux: here.remedy, mac: here.remedy }
  if (wanted === 'required') return bad('sandbox', `no session starts (SANDBOX=required): ${here.missing}`, fix)
  return weak('sandbox', `agents and checks run with your rights: ${here.missing}`, fix)
}
