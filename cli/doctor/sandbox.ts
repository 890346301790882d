import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildProgramCommand, type Config } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { writeAtomic } from '#host/fs'
import { buildPolicy, detectSandbox } from '#host/sandbox'
import { type DoctorResult, fail, ok, warn } from './result.ts'

/** Whether this machine can run agents and checks in a sandbox, whether they are, and how long one takes to start. */
export async function checkSandbox({ SANDBOX: wanted }: Pick<Config, 'SANDBOX'>): Promise<DoctorResult> {
  const here = await detectSandbox()
  if ('kind' in here)
    return wanted === 'off'
      ? warn('sandbox', `agents and checks run with your rights (SANDBOX=off); ${here.kind} works here`)
      : describeStart(here.kind, await measureStartSeconds())
  const fix = { linux: here.remedy, mac: here.remedy }
  if (wanted === 'required') return fail('sandbox', `no session starts (SANDBOX=required): ${here.problem}`, fix)
  return warn('sandbox', `agents and checks run with your rights: ${here.problem}`, fix)
}

/** Seconds that one sandboxed `true` takes from start to end, or why it did not end well. */
export async function measureStartSeconds(): Promise<number | string> {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-doctor-')))
  try {
    const policy = path.join(folder, 'policy.json')
    writeAtomic(policy, JSON.stringify(buildPolicy('check', { folder, tempFolder: path.join(folder, 'scratch') })))
    const [node, launcher] = buildProgramCommand('bin/processes/sandbox')
    const begun = performance.now()
    const ran = await runProgram(node, [launcher, policy, '--', 'true'], { timeoutMs: 30_000 })
    if (ran.timedOut) return 'a sandboxed `true` did not end within 30 s'
    return ran.exitCode === 0 ? (performance.now() - begun) / 1000 : ran.stderr.trim().split('\n')[0] || 'it failed'
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const SLOW_START_SECONDS = 3

/** Pure. */
export function describeStart(kind: string, started: number | string): DoctorResult {
  if (typeof started === 'string') return fail('sandbox', `${kind} is there, but ${started}`)
  const found = `${kind}; a sandboxed command starts in ${started.toFixed(1)} s`
  return started < SLOW_START_SECONDS
    ? ok('sandbox', found)
    : warn(
        'sandbox',
        found,
        'Every check and agent waits that long. Is the machine busy, or PATH or HOME on a slow disk?',
      )
}
