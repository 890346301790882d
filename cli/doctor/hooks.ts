import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { buildHeadlessArguments, claudeVariables, detectLogin, findClaude, findSettingsFiles } from '#host/claude'
import { type Config, pickVariables } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { type RunResult, runProgram } from '#host/exec.ts'
import { listNames, readIfPresent } from '#host/fs'
import { parseJsonc } from '#host/json.ts'
import { escapeShellPattern, toOneLine } from '#host/text.ts'
import { type DoctorResult, fail, ok, warn } from './result.ts'

/** Do our hooks fire, and does anything of the user's or their company's silence hooks? */
export async function checkHooks(config: Config): Promise<DoctorResult[]> {
  const ours = await checkHooksFire(config)
  const isWhole = ours.every(({ state }) => state === 'good')
  return [...findSilencers(config), ...ours, ...(isWhole ? await checkClaudeFires(config) : [])]
}

/** What in these settings keeps our hooks from firing, in words; undefined when nothing does. Pure. */
export function explainSilencing(text: string, managed: boolean): string | undefined {
  const { value, problems } = parseJsonc(text)
  const [first] = problems
  if (first) return `it does not read (line ${first.line}: ${first.message}), so nobody knows what claude makes of it`
  const read = Silencing.safeParse(value)
  if (read.data?.disableAllHooks) return 'disableAllHooks is true'
  return managed && read.data?.allowManagedHooksOnly ? 'allowManagedHooksOnly is true' : undefined
}

// --- internal ---

const Silencing = z.looseObject({
  disableAllHooks: z.boolean().optional(),
  allowManagedHooksOnly: z.boolean().optional(),
})

/** Without its hooks an orchestrator never counts as started, so this is bad and not merely weak. */
function findSilencers(config: Config): DoctorResult[] {
  const { user, managed } = findSettingsFiles(detectLogin(config.claudeFolder))
  return [user, ...managed].flatMap(file => {
    const text = readIfPresent(file)
    const why = text === undefined ? undefined : explainSilencing(text, file !== user)
    if (why === undefined) return []
    if (why.startsWith('it does not read')) return [warn('hooks', `${file}: ${why}`, `Mend ${file}`)]
    const theirs = 'These are the rules of whoever manages this machine: ask them to allow the hooks of claude-dispatch'
    return [
      fail(
        'hooks',
        `${file}: ${why}, and without hooks no session starts`,
        file === user ? `Take it out of ${file}` : theirs,
      ),
    ]
  })
}

/**
 * Run every command of settings.json as claude would, in an agent's environment and with what claude says then, and see
 * what it leaves and answers. Costs no model.
 */
async function checkHooksFire({ installFolder }: Config): Promise<DoctorResult[]> {
  const desk = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-doctor-'))
  try {
    const commands = parseHookCommands(readIfPresent(path.join(installFolder, 'settings.json')) ?? '')
    const silent = requiredEvents.filter(event => !commands.some(command => command.event === event))
    const agent = prepareAgentFolder(desk, installFolder)
    const tried: HookAttempt[] = []
    for (const command of commands) tried.push(await runHookCommand(command, agent))
    const wrong = tried.filter(({ reason }) => reason !== '').map(({ event, reason }) => `${event}: ${reason}`)
    const found = [
      ...silent.map(event => `${event}: settings.json names no hook for it`),
      ...wrong,
      ...findWritableHooks(installFolder),
    ]
    const mend = `The install is damaged: \`git -C ${installFolder} status\` shows what is changed, \`git -C ${installFolder} checkout hooks settings.json\` brings it back`
    if (found.length > 0) return [fail('hooks', `our hooks do not fire as they should: ${found.join('; ')}`, mend)]
    const longest = Math.max(...tried.map(({ milliseconds }) => milliseconds))
    return [
      ok(
        'hooks',
        `the recorder left its word in ${tried[0]?.milliseconds} ms; all ${tried.length} hooks answer, the slowest in ${longest} ms`,
      ),
    ]
  } finally {
    fs.rmSync(desk, { recursive: true, force: true })
  }
}

/**
 * Let the real claude fire them: one headless prompt in an empty config, to an address on this machine where nobody
 * answers. It costs a second and no model; a claude that ignores a settings file says nothing about it.
 */
async function checkClaudeFires({ installFolder }: Config): Promise<DoctorResult[]> {
  const desk = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-doctor-'))
  try {
    const claude = findClaude()
    for (const name of ['home', 'config']) fs.mkdirSync(path.join(desk, name))
    const env = {
      ...prepareAgentFolder(desk, installFolder),
      ...claudeVariables,
      ...pickVariables(['PATH', 'TMPDIR']),
      HOME: path.join(desk, 'home'),
      CLAUDE_CONFIG_DIR: path.join(desk, 'config'),
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
      ANTHROPIC_API_KEY: 'doctor',
      CLAUDE_CODE_MAX_RETRIES: '0',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    }
    const launch = {
      program: claude,
      model: 'opus',
      systemPromptFile: '/dev/null',
      settingsFile: path.join(installFolder, 'settings.json'),
    }
    const [program = claude, ...args] = buildHeadlessArguments({ ...launch, sessionId: randomUUID(), tools: [] })
    const ran = await runProgram(program, args, { env, cwd: desk, input: 'doctor', timeoutMs: 20_000 })
    const spool = path.join(desk, 'hook-inbox')
    const left = fs.readdirSync(spool).map(name => fs.readFileSync(path.join(spool, name), 'utf8'))
    const missing = ['SessionStart', 'UserPromptSubmit'].filter(
      event => !left.some(text => text.includes(`"${event}"`)),
    )
    if (missing.length === 0) return [ok('hooks', `claude itself fired them, in ${ran.milliseconds} ms`)]
    const said = toOneLine(ran.stderr || ran.stdout, 160)
    return [
      fail(
        'hooks',
        `claude did not fire ${missing.join(' and ')}, so no session would count as started${said === '' ? '' : `: ${said}`}`,
        'Update claude (`claude update`); if it stays, rules of this machine may forbid hooks: `claude /doctor`',
      ),
    ]
  } catch (error) {
    if (error instanceof DispatchError) return [] // No claude: that is a symptom of its own.
    throw error
  } finally {
    fs.rmSync(desk, { recursive: true, force: true })
  }
}

/** What a session cannot be followed without. */
const requiredEvents = [
  'SessionStart',
  'SessionEnd',
  'UserPromptSubmit',
  'Stop',
  'StopFailure',
  'Notification',
  'PreToolUse',
]

interface HookCommand {
  event: string
  command: string
}

interface HookAttempt extends HookCommand {
  milliseconds: number
  reason: string
}

/** An orchestrator's environment, as far as hooks look at it: a spool, a hold, a guard that lets nothing through. */
function prepareAgentFolder(desk: string, install: string): Record<string, string> {
  const place = (name: string) => path.join(desk, name)
  fs.mkdirSync(place('hook-inbox'))
  fs.writeFileSync(place('hold'), `${STOP_BLOCK}\n`)
  fs.writeFileSync(place('guard'), `${escapeShellPattern(place('orchestrator'))}/*\n`)
  return {
    DISPATCH_SESSION: 'doctor',
    DISPATCH_ROLE: 'orchestrator',
    DISPATCH_HOOKS: path.join(install, 'hooks'),
    DISPATCH_HOOK_INBOX: place('hook-inbox'),
    DISPATCH_STOP_GATE: place('hold'),
    DISPATCH_WRITE_ALLOWLIST: place('guard'),
  }
}

const STOP_BLOCK = '{"decision":"block","reason":"doctor"}'

/** Every hook exits 0, so only what it leaves and answers shows whether it works. */
async function runHookCommand({ event, command }: HookCommand, env: Record<string, string>): Promise<HookAttempt> {
  const spool = env['DISPATCH_HOOK_INBOX'] ?? ''
  const said = JSON.stringify({ hook_event_name: event, session_id: 'doctor', tool_input: { file_path: '/not/yours' } })
  const ran = await runProgram('/bin/sh', ['-c', command], { env, input: said, timeoutMs: 10_000 })
  const left = fs.readdirSync(spool).map(name => fs.readFileSync(path.join(spool, name), 'utf8'))
  for (const name of fs.readdirSync(spool)) fs.unlinkSync(path.join(spool, name))
  const heard = left.some(text => text === said || (event === 'PreToolUse' && text.includes('GuardRefused')))
  const answer = { Stop: STOP_BLOCK, PreToolUse: '"permissionDecision":"deny"' }[event] ?? ''
  return { event, command, milliseconds: ran.milliseconds, reason: explainWrong(ran, heard, answer) }
}

function explainWrong({ exitCode, stdout, stderr }: RunResult, heard: boolean, answer: string): string {
  if (exitCode !== 0) return stderr.trim() || `exit ${exitCode}`
  if (!heard) return stderr.trim() || `exit ${exitCode}, and no file`
  if (answer === '' && stdout !== '') return `it says "${stdout.trim().slice(0, 80)}", and should say nothing`
  return stdout.includes(answer) ? '' : 'it leaves its word, and does not answer'
}

/** Whoever may change a hook runs what they like in every session. */
function findWritableHooks(install: string): string[] {
  const files = [path.join(install, 'settings.json'), path.join(install, 'hooks')]
  const all = [...files, ...listNames(path.join(install, 'hooks')).map(name => path.join(install, 'hooks', name))]
  return all
    .filter(file => ((fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o002) !== 0)
    .map(file => `${file} may be written by everybody on this machine (\`chmod o-w ${file}\`)`)
}

const Hooks = z.object({
  hooks: z.record(z.string(), z.array(z.object({ hooks: z.array(z.object({ command: z.string() })) }))),
})

function parseHookCommands(settings: string): HookCommand[] {
  const hooks = Hooks.safeParse(parseJsonc(settings).value).data?.hooks ?? {}
  return Object.entries(hooks).flatMap(([event, entries]) =>
    entries.flatMap(entry => entry.hooks.map(({ command }) => ({ event, command }))),
  )
}
