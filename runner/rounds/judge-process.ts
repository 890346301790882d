import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildChildEnvironment, buildProgramCommand, type Config, exportSettings } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { parseJson } from '#host/json.ts'
import { SECOND_MS } from '#host/time.ts'
import type { GeminiAnswer, JudgeFailure, JudgeResult, Packet } from '#validator'

/** The judge's process may take this much longer than its model. */
const EXTRA_SECONDS = 30

/** Ask the judge about a packet. Its process runs in an empty folder: it cannot reach anything else of the work. */
export function askJudge(packet: Packet, config: Config): Promise<JudgeResult> {
  return runJudge<JudgeResult>([], JSON.stringify(packet), config)
}

/** Ask the judge for one word: it shows that key, model and address are right, and costs a few tokens. */
export function greetJudge(config: Config): Promise<GeminiAnswer<string>> {
  return runJudge<GeminiAnswer<string>>(['greet'], '', config)
}

// --- internal ---

async function runJudge<Result>(args: string[], input: string, config: Config): Promise<Result | JudgeFailure> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-judge-'))
  try {
    const [node, judge] = buildProgramCommand('bin/processes/judge')
    const run = await runProgram(node, [judge, ...args], {
      cwd: folder,
      env: { ...buildChildEnvironment(), ...exportSettings(config) },
      input,
      timeoutMs: (config.JUDGE_TIMEOUT_SEC + EXTRA_SECONDS) * SECOND_MS,
    })
    // The judge's process belongs to dispatch and has checked its answer, so its type is not checked again.
    const result = parseJson(run.stdout) as Result | undefined
    if (result !== undefined) return result
    const detail = run.stderr ? `: ${run.stderr.trim().split('\n').at(-1)}` : ''
    const reason = `the judge's process ended with exit ${run.exitCode ?? run.signal} and no answer${detail}`
    return { ok: false, reason, kind: 'malformed' }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
