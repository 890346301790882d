import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Config, ownProgram, policyOf, run, sandboxHere, writeAtomic } from '../../host/index.ts'
import { bad, good, type Symptom, weak } from './symptom.ts'

/** Whether this machine can run agents and checks in a sandbox, whether they are, and how long one takes to start. */
export async function sandbox({ SANDBOX: wanted }: Pick<Config, 'SANDBOX'>): Promise<Symptom> {
  const here = await sandboxHere()
  if ('kind' in here)
    return wanted === 'off'
      ? weak('sandbox', `agents and checks run with your rights (SANDBOX=off); ${here.kind} works here`)
      : inUse(here.kind, await startSeconds())
  const fix = { linux: here.remedy, mac: here.remedy }
  if (wanted === 'required') return bad('sandbox', `no session starts (SANDBOX=required): ${here.missing}`, fix)
  return weak('sandbox', `agents and checks run with your rights: ${here.missing}`, fix)
}

/** Seconds that one sandboxed `true` takes from start to end, or why it did not end well. */
export async function startSeconds(): Promise<number | string> {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-doctor-')))
  try {
    const policy = path.join(folder, 'policy.json')
    writeAtomic(policy, JSON.stringify(policyOf('check', { folder, scratch: path.join(folder, 'scratch') })))
    const [node, launcher] = ownProgram('bin/sandboxed')
    const begun = performance.now()
    const ran = await run(node, [launcher, policy, '--', 'true'], { deadline: 30_000 })
    if (ran.timedOut) return 'a sandboxed `true` did not end within 30 s'
    return ran.code === 0 ? (performance.now() - begun) / 1000 : ran.stderr.trim().split('\n')[0] || 'it failed'
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const SLOW_START_SECONDS = 3

/** Pure. */
export function inUse(kind: string, started: number | string): Symptom {
  if (typeof started === 'string') return bad('sandbox', `${kind} is there, but ${started}`)
  const found = `${kind}; a sandboxed command starts in ${started.toFixed(1)} s`
  return started < SLOW_START_SECONDS
    ? good('sandbox', found)
    : weak(
        'sandbox',
        found,
        'Every check and agent waits that long. Is the machine busy, or PATH or HOME on a slow disk?',
      )
}
