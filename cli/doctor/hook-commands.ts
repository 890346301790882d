import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { type RunResult, runProgram } from '#host/exec.ts'
import { listNames, readIfPresent } from '#host/fs'
import { parseJsonc } from '#host/json.ts'
import { escapeShellPattern } from '#host/shell-quote.ts'
import { type DoctorResult, fail, ok } from './result.ts'

/**
 * Run every hook command of settings.json as claude would, in an agent's environment and with the input that claude sends,
 * and check the event file and the answer. Costs no model.
 */
export async function checkHookCommands(install: string): Promise<DoctorResult[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-doctor-'))
  try {
    const commands = parseHookCommands(readIfPresent(path.join(install, 'settings.json')) ?? '')
    const missing = requiredEvents.filter(event => !commands.some(command => command.event === event))
    const env = prepareAgentFolder(folder, install)
    const runs: HookRun[] = []
    for (const command of commands) runs.push(await runHookCommand(command, env))
    const problems = [
      ...missing.map(event => `${event}: settings.json has no hook for it`),
      ...runs.flatMap(({ event, problem }) => (problem === '' ? [] : [`${event}: ${problem}`])),
      ...findWritableHooks(install),
    ]
    const fix = `The install was changed. \`git -C ${install} status\` shows how; \`git -C ${install} checkout hooks settings.json\` restores it`
    if (problems.length > 0) return [fail('hooks', `hooks of dispatch do not work: ${problems.join('; ')}`, fix)]
    const slowestMs = Math.max(...runs.map(({ elapsedMs }) => elapsedMs))
    return [ok('hooks', `${runs.length} of ${runs.length} hooks respond (slowest ${slowestMs} ms)`)]
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * The environment of an orchestrator as far as hooks use it: a hook inbox, a stop gate, and a write allowlist that blocks
 * every write. The files are made in `folder`.
 */
export function prepareAgentFolder(folder: string, install: string): Record<string, string> {
  const inbox = path.join(folder, 'hook-inbox')
  const gate = path.join(folder, 'stop-gate')
  const allowlist = path.join(folder, 'write-allowlist')
  fs.mkdirSync(inbox)
  fs.writeFileSync(gate, `${STOP_ANSWER}\n`)
  fs.writeFileSync(allowlist, `${escapeShellPattern(path.join(folder, 'orchestrator'))}/*\n`)
  return {
    DISPATCH_SESSION: 'doctor',
    DISPATCH_ROLE: 'orchestrator',
    DISPATCH_HOOKS: path.join(install, 'hooks'),
    DISPATCH_HOOK_INBOX: inbox,
    DISPATCH_STOP_GATE: gate,
    DISPATCH_WRITE_ALLOWLIST: allowlist,
  }
}

/** The event files in the inbox. */
export function readInbox(inbox: string): string[] {
  return fs.readdirSync(inbox).map(name => fs.readFileSync(path.join(inbox, name), 'utf8'))
}

// --- internal ---

const HOOK_TIMEOUT_MS = 10_000

/** Without these events dispatch cannot follow a session. */
const requiredEvents = [
  'SessionStart',
  'SessionEnd',
  'UserPromptSubmit',
  'Stop',
  'StopFailure',
  'Notification',
  'PreToolUse',
]

const STOP_ANSWER = '{"decision":"block","reason":"doctor"}'
const answers: Record<string, string> = { Stop: STOP_ANSWER, PreToolUse: '"permissionDecision":"deny"' }

interface HookCommand {
  event: string
  command: string
}

interface HookRun extends HookCommand {
  elapsedMs: number
  /** Empty when the hook works. */
  problem: string
}

/** Every hook exits 0, so only its event file and its answer show whether it works. */
async function runHookCommand({ event, command }: HookCommand, env: Record<string, string>): Promise<HookRun> {
  const inbox = env['DISPATCH_HOOK_INBOX'] ?? ''
  const input = JSON.stringify({ hook_event_name: event, session_id: 'doctor', tool_input: { file_path: '/blocked' } })
  const result = await runProgram('/bin/sh', ['-c', command], { env, input, timeoutMs: HOOK_TIMEOUT_MS })
  const files = readInbox(inbox)
  for (const name of fs.readdirSync(inbox)) fs.unlinkSync(path.join(inbox, name))
  const isRecorded = files.some(text => text === input || (event === 'PreToolUse' && text.includes('GuardRefused')))
  return { event, command, elapsedMs: result.milliseconds, problem: explainProblem(result, isRecorded, answers[event]) }
}

function explainProblem({ exitCode, stdout, stderr }: RunResult, isRecorded: boolean, answer = ''): string {
  if (exitCode !== 0) return stderr.trim() || `exit ${exitCode}`
  if (!isRecorded) return stderr.trim() || `exit ${exitCode}, but no event file`
  if (answer === '' && stdout !== '') return `it prints "${stdout.trim().slice(0, 80)}" and should print nothing`
  return stdout.includes(answer) ? '' : 'it leaves its event file but does not answer'
}

/** A person who may change a hook can run any command in every session. */
function findWritableHooks(install: string): string[] {
  const folder = path.join(install, 'hooks')
  const files = [path.join(install, 'settings.json'), folder, ...listNames(folder).map(name => path.join(folder, name))]
  return files
    .filter(file => ((fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o002) !== 0)
    .map(file => `every user of this machine can write ${file} (\`chmod o-w ${file}\`)`)
}

const HookSettings = z.object({
  hooks: z.record(z.string(), z.array(z.object({ hooks: z.array(z.object({ command: z.string() })) }))),
})

function parseHookCommands(settings: string): HookCommand[] {
  const hooks = HookSettings.safeParse(parseJsonc(settings).value).data?.hooks ?? {}
  return Object.entries(hooks).flatMap(([event, entries]) =>
    entries.flatMap(entry => entry.hooks.map(({ command }) => ({ event, command }))),
  )
}
