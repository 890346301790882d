import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { buildHeadlessArguments, claudeVariables, findClaude } from '#host/claude'
import { pickVariables } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { type RunResult, runProgram } from '#host/exec.ts'
import { listNames, readIfPresent } from '#host/fs'
import { parseJsonc } from '#host/json.ts'
import { escapeShellPattern } from '#host/shell-quote.ts'
import { toOneLine } from '#host/text.ts'
import { type DoctorResult, fail, ok } from './result.ts'

/** Do the hook commands work, and if so, does claude run them? Costs no model. */
export async function runHooks(install: string): Promise<DoctorResult[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-doctor-'))
  try {
    const agent = prepareAgent(folder, install)
    const result = await checkHookCommands(install, agent)
    return [result, ...(result.state === 'ok' ? await checkClaudeRunsHooks(install, agent) : [])]
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

// --- internal ---

const HOOK_TIMEOUT_MS = 10_000
const CLAUDE_TIMEOUT_MS = 20_000

/** Without these events dispatch cannot follow a session. */
const required = ['SessionEnd', 'UserPromptSubmit', 'Stop', 'StopFailure', 'Notification', 'PreToolUse']

const STOP_ANSWER = '{"decision":"block","reason":"doctor"}'
const answers: Record<string, string> = { Stop: STOP_ANSWER, PreToolUse: '"permissionDecision":"deny"' }

/** An orchestrator as far as its hooks know: its folder, its hook inbox and its environment. */
type Agent = ReturnType<typeof prepareAgent>

/** Its stop gate blocks every stop, and its write allowlist every write. */
function prepareAgent(folder: string, install: string) {
  const inbox = path.join(folder, 'hook-inbox')
  const gate = path.join(folder, 'stop-gate')
  const allowlist = path.join(folder, 'write-allowlist')
  fs.mkdirSync(inbox)
  fs.writeFileSync(gate, `${STOP_ANSWER}\n`)
  fs.writeFileSync(allowlist, `${escapeShellPattern(path.join(folder, 'orchestrator'))}/*\n`)
  const env = {
    DISPATCH_SESSION: 'doctor',
    DISPATCH_ROLE: 'orchestrator',
    DISPATCH_HOOKS: path.join(install, 'hooks'),
    DISPATCH_HOOK_INBOX: inbox,
    DISPATCH_STOP_GATE: gate,
    DISPATCH_WRITE_ALLOWLIST: allowlist,
  }
  return { folder, inbox, env }
}

/** Run every hook command of settings.json as claude would, and check its event file and its answer. */
async function checkHookCommands(install: string, agent: Agent): Promise<DoctorResult> {
  const commands = parseHookCommands(readIfPresent(path.join(install, 'settings.json')) ?? '')
  const missing = required.filter(event => !commands.some(command => command.event === event))
  const problems = missing.map(event => `${event}: settings.json has no hook for it`)
  let slowestMs = 0
  for (const command of commands) {
    const { milliseconds, problem } = await runHookCommand(command, agent)
    slowestMs = Math.max(slowestMs, milliseconds)
    if (problem !== '') problems.push(`${command.event}: ${problem}`)
  }
  problems.push(...findWritableHooks(install))
  const fix = `The install was changed. \`git -C ${install} status\` shows how; \`git -C ${install} checkout hooks settings.json\` restores it`
  if (problems.length > 0) return fail('hooks', `hooks of dispatch do not work: ${problems.join('; ')}`, fix)
  return ok('hooks', `${commands.length} of ${commands.length} hooks respond (slowest ${slowestMs} ms)`)
}

interface HookCommand {
  event: string
  command: string
}

/** Every hook exits 0, so only its event file and its answer show whether it works. `problem` is empty when it does. */
async function runHookCommand({ event, command }: HookCommand, { inbox, env }: Agent) {
  const input = JSON.stringify({ hook_event_name: event, session_id: 'doctor', tool_input: { file_path: '/blocked' } })
  const result = await runProgram('/bin/sh', ['-c', command], { env, input, timeoutMs: HOOK_TIMEOUT_MS })
  const texts = readInbox(inbox)
  for (const name of fs.readdirSync(inbox)) fs.unlinkSync(path.join(inbox, name))
  const isRecorded = texts.some(text => text === input || (event === 'PreToolUse' && text.includes('GuardRefused')))
  return { milliseconds: result.milliseconds, problem: explainProblem(result, isRecorded, answers[event]) }
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

/**
 * Does the real claude run the hooks? One headless prompt in an empty configuration, to a closed port on this machine. It
 * takes a second and no model. It is needed because claude silently ignores a settings file that it cannot use.
 */
async function checkClaudeRunsHooks(install: string, { folder, inbox, env }: Agent): Promise<DoctorResult[]> {
  try {
    const program = findClaude()
    const home = path.join(folder, 'home')
    const config = path.join(folder, 'config')
    for (const made of [home, config]) fs.mkdirSync(made)
    const [, ...args] = buildHeadlessArguments({
      program,
      model: 'opus',
      systemPromptFile: '/dev/null',
      settingsFile: path.join(install, 'settings.json'),
      sessionId: randomUUID(),
      tools: [],
    })
    const result = await runProgram(program, args, {
      env: {
        ...env,
        ...claudeVariables,
        ...pickVariables(['PATH', 'TMPDIR']),
        HOME: home,
        CLAUDE_CONFIG_DIR: config,
        ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
        ANTHROPIC_API_KEY: 'doctor',
        CLAUDE_CODE_MAX_RETRIES: '0',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      },
      cwd: folder,
      input: 'doctor',
      timeoutMs: CLAUDE_TIMEOUT_MS,
    })
    const texts = readInbox(inbox)
    if (texts.some(text => text.includes('"UserPromptSubmit"')))
      return [ok('hooks', `claude runs them (${result.milliseconds} ms)`)]
    const output = toOneLine(result.stderr || result.stdout, 160)
    return [
      fail(
        'hooks',
        `claude did not run UserPromptSubmit, so no session can start${output === '' ? '' : `: ${output}`}`,
        'Update claude (`claude update`). If that does not help, this machine may forbid hooks: `claude /doctor` shows it',
      ),
    ]
  } catch (error) {
    if (error instanceof DispatchError) return [] // There is no claude; another check reports that.
    throw error
  }
}

/** The event files in the inbox. */
function readInbox(inbox: string): string[] {
  return fs.readdirSync(inbox).map(name => fs.readFileSync(path.join(inbox, name), 'utf8'))
}
