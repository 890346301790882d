import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildProgramCommand, type Config } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { writeAtomic } from '#host/fs'
import { buildPolicy, detectSandbox } from '#host/sandbox'
import { type DoctorResult, fail, ok, warn } from './result.ts'

/** Can this machine run agents and checks in a sandbox, does it, and how long does a start take? */
export async function checkSandbox({ SANDBOX: setting }: Pick<Config, 'SANDBOX'>): Promise<DoctorResult> {
  const sandbox = await detectSandbox()
  if ('kind' in sandbox)
    return setting === 'off'
      ? warn('sandbox', `agents and checks run with your rights (SANDBOX=off); ${sandbox.kind} would work`)
      : describeStart(sandbox.kind, await measureStartSeconds())
  const { problem, remedy } = sandbox
  if (setting === 'required') return fail('sandbox', `no session can start (SANDBOX=required): ${problem}`, remedy)
  return warn('sandbox', `agents and checks run with your rights: ${problem}`, remedy)
}

/** How many seconds one sandboxed `true` takes from start to end, or the reason why it failed. */
export async function measureStartSeconds(): Promise<number | string> {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-doctor-')))
  try {
    const policy = path.join(folder, 'policy.json')
    writeAtomic(policy, JSON.stringify(buildPolicy('check', { folder, tempFolder: path.join(folder, 'scratch') })))
    const [node, launcher] = buildProgramCommand('bin/processes/sandbox')
    const startedAt = performance.now()
    const result = await runProgram(node, [launcher, policy, '--', 'true'], { timeoutMs: START_TIMEOUT_MS })
    if (result.timedOut) return `a sandboxed \`true\` did not end within ${START_TIMEOUT_MS / 1000} s`
    if (result.exitCode !== 0) return result.stderr.trim().split('\n')[0] || 'a sandboxed `true` failed'
    return (performance.now() - startedAt) / 1000
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** The result for a start that took so many seconds, or failed with a reason. Pure. */
export function describeStart(kind: string, start: number | string): DoctorResult {
  if (typeof start === 'string') return fail('sandbox', `${kind} is installed but does not work: ${start}`, BROKEN_FIX)
  const message = `${kind}; a sandboxed command starts in ${start.toFixed(1)} s`
  if (start < SLOW_START_SECONDS) return ok('sandbox', message)
  const fix = 'Every check and every agent waits that long. Is the machine busy, or is PATH or HOME on a slow disk?'
  return warn('sandbox', message, fix)
}

// --- internal ---

const BROKEN_FIX =
  'Run dispatch outside of a container, or without a sandbox: SANDBOX=off in $DISPATCH_HOME/.env. See docs/sandbox.md'
const START_TIMEOUT_MS = 30_000
const SLOW_START_SECONDS = 3
