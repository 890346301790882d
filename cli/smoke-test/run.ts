import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { detectLogin, findClaude, type Login, prepareLogin, requireLogin } from '#host/claude'
import { type Config, installFolder, prepareHome } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { requireClaude, requirePrograms } from '#host/versions.ts'
import { testChannels } from '#notify'
import { findSession, type Session } from '#session'
import { readLog } from '#session/log'
import { computeStatus, readView } from '#session/status'
import { readCost } from '../session-cost.ts'

/** Check everything that a PASS needs before anything is started. Exit 6 or 7, with the fix. */
export async function checkRequirements(config: Config): Promise<{ claude: string; login: Login }> {
  prepareHome(config)
  await requirePrograms(config)
  const claude = findClaude()
  await requireClaude(claude, config)
  const login = detectLogin(config.claudeFolder)
  prepareLogin(login, config.workspace)
  await requireLogin(login, claude)
  if (config.GEMINI_API_KEY === '')
    throw new DispatchError('GEMINI_API_KEY is not set, and without a judge no verdict can be PASS', {
      exitCode: exitCodes.login,
      remedy: `Get a key at https://aistudio.google.com/apikey and put GEMINI_API_KEY=… into ${config.home}/.env`,
    })
  return { claude, login }
}

/** The task of the smoke test, in Python or else in JavaScript. `-B` keeps Python from leaving files beside the work. */
export async function chooseTask(): Promise<string> {
  // On a new Mac python3 exists but only offers to install itself, so it is run.
  const python = await runProgram('python3', ['--version'], { timeoutMs: PYTHON_TIMEOUT_MS })
  const [module, tests, command] =
    python.exitCode === 0
      ? ['Python module mathx.py', 'test_mathx.py', '`python3 -B -m unittest`']
      : ['JavaScript module mathx.mjs', 'mathx.test.mjs', '`node --test`']
  return `Write a small ${module} with three functions: add(a, b) gives the sum, gcd(a, b) the greatest common divisor (never negative; gcd(0, 0) is 0), is_prime(n) says whether n is prime (false for everything below 2). Write tests of all three in ${tests}, which ${command} runs without installing anything. Make no other files.`
}

/** Start the session with `bin/dispatch`, as a user would. Returns the exit code when it does not start. */
export async function startSession(task: string, config: Config): Promise<Session | number> {
  const interrupt = new AbortController()
  const leave = () => interrupt.abort() // Its process group is another one, which Ctrl-c does not reach.
  process.once('SIGINT', leave)
  const result = await runProgram('/bin/sh', [entryPoint, '--json', '--no-repo', '--', task], { end: interrupt.signal })
  process.off('SIGINT', leave)
  if (interrupt.signal.aborted)
    throw new DispatchError('interrupted; the session goes on without you, if it was opened', {
      exitCode: exitCodes.interrupted,
      remedy: 'To see it: dispatch ls. To end it: dispatch stop',
    })
  if (result.exitCode === 0) return findSession(config.workspace, String(JSON.parse(result.stdout).id))
  process.stderr.write(result.stderr)
  return result.exitCode ?? exitCodes.internal
}

export type SmokeResult = Awaited<ReturnType<typeof collectResult>>

/** The result of a session that has ended. One that passed is closed; another stays open to be inspected. */
export async function collectResult(session: Session, exitCode: number, config: Config) {
  const { state, status } = await readView(session)
  if (status.phase === status.verdict?.verdict) await waitForTurnEnd(session)
  const hasPassed = exitCode === exitCodes.ok
  const body = `the smoke test ${session.id} passed in round ${status.round}`
  const notification = { title: 'Dispatch: smoke test passed', body, priority: 3, tags: ['tada'] }
  const channelTests = hasPassed ? await testChannels(notification, config) : []
  if (hasPassed) await runProgram('/bin/sh', [entryPoint, 'stop', session.id], { timeoutMs: STOP_TIMEOUT_MS })
  const endedAt = Date.parse(status.verdict?.time ?? status.lastEventAt)
  const seconds = Math.round((endedAt - Date.parse(status.openedAt)) / 1000)
  return { id: session.id, state, exitCode, seconds, cost: readCost(session), channelTests }
}

// --- internal ---

const entryPoint = path.join(installFolder, 'bin/dispatch')
const PYTHON_TIMEOUT_MS = 10_000
const STOP_TIMEOUT_MS = 60_000
const TURN_TIMEOUT_MS = 60_000
const POLL_INTERVAL_MS = 250

/** After the verdict, the orchestrator still ends its turn, which is part of the cost. */
async function waitForTurnEnd({ paths }: Session): Promise<void> {
  for (const end = Date.now() + TURN_TIMEOUT_MS; Date.now() < end; ) {
    const { events } = readLog(paths.events)
    const later = events.slice(events.findLastIndex(event => event.type === 'verdict.given'))
    if (later.some(event => event.type === 'turn.ended') || computeStatus(events).closed) return
    await sleep(POLL_INTERVAL_MS)
  }
}
