import path from 'node:path'
import { detectLogin, findClaude, type Login, prepareLogin, requireLogin } from '#host/claude'
import { type Config, installFolder, pickVariables, prepareHome, readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { sanitize } from '#host/text.ts'
import { requireClaude, requirePrograms } from '#host/versions.ts'
import { type ChannelTest, listEnabledChannels, testChannels } from '#notify'
import { findSession, type Session } from '#session'
import { readLog } from '#session/log'
import { computeStatus, readView } from '#session/status'
import { defineCommand } from '../command.ts'
import { confirmAction } from '../input/confirm.ts'
import { formatElapsed, paint, print } from '../output/terminal.ts'
import { waitForResult, watchToEnd } from '../wait-for-result.ts'
import { printCost, readCost, type SessionCost } from './cost.ts'
export const command = defineCommand({
  about: `
One real dispatch with real models, from the task to the verdict: a small module with tests. It costs money or counts against
your limits, so it says how much, and asks. It must end with PASS (exit 0; else the exit code of the verdict). Then it sends
one notice and shows the cost.
`,
  options: {
    yes: { type: 'boolean', about: 'do not ask' },
    json: { type: 'boolean', about: 'one JSON object on standard output instead of words (with --yes)' },
  },
  async run(values) {
    const config = readConfig()
    const means = await checkRequirements(config)
    const task = await chooseTask()
    if (!values.json) announce(task, means, config)
    if (!values.yes && !(await confirmRun(values.json))) {
      print('Nothing was started.')
      return exitCodes.ok
    }
    const session = await startDispatch(task, config)
    if (typeof session === 'number') return session
    if (!values.json) print(paint('dim', `${session.id}: Ctrl-c ends the watching; \`dispatch stop\` ends the session`))
    const exit = values.json ? (await waitForResult(session)).exitCode : await watchToEnd(session)
    const found = await collectResult(session, exit, config)
    if (values.json) print(JSON.stringify(found))
    else printResult(found)
    return exit
  },
})

// --- before ---

interface Requirements {
  claude: string
  login: Login
}

/** Everything without which it cannot end well: exit 6 or 7, with what to do, before anything was started. */
async function checkRequirements(config: Config): Promise<Requirements> {
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
      remedy: `Get a key at https://aistudio.google.com/apikey, then put GEMINI_API_KEY=… into ${config.home}/.env`,
    })
  return { claude, login }
}

/** The fixed task. `-B` keeps Python from leaving files beside the work. */
async function chooseTask(): Promise<string> {
  const found = await runProgram('python3', ['--version'], { timeoutMs: 10_000 }) // On a new Mac it is there and only offers to install itself.
  const [module, tests, start] =
    found.exitCode === 0
      ? ['Python module mathx.py', 'test_mathx.py', '`python3 -B -m unittest`']
      : ['JavaScript module mathx.mjs', 'mathx.test.mjs', '`node --test`']
  return `Write a small ${module} with three functions: add(a, b) gives the sum, gcd(a, b) the greatest common divisor (never negative; gcd(0, 0) is 0), is_prime(n) says whether n is prime (false for everything below 2). Write tests of all three in ${tests}, which ${start} runs without installing anything. Make no other files.`
}

function announce(task: string, { claude, login }: Requirements, config: Config): void {
  const { ORCHESTRATOR_MODEL, CODE_MODEL, RW_MODEL, JUDGE_MODEL, NTFY_SERVER } = config
  const asked = pickVariables(['ANTHROPIC_BASE_URL'])['ANTHROPIC_BASE_URL']
  const channels = listEnabledChannels(config).map(channel =>
    channel === 'phone' ? `phone (${NTFY_SERVER})` : channel,
  )
  const row = (name: string, text: string) => print(`  ${name.padEnd(8)} ${sanitize(text)}`)
  print('The smoke test is one real dispatch, from the task to the verdict, in an empty repository.\n')
  row('task', `${task.split(':')[0]}: add, gcd, is_prime, and tests`)
  row('models', `${ORCHESTRATOR_MODEL} plans, ${CODE_MODEL} or ${RW_MODEL} works, ${JUDGE_MODEL} judges`)
  row('claude', `${claude}${asked === undefined ? '' : `, asked at ${asked}`}`)
  row('login', login.kind === 'key' ? 'a key or token from the environment' : `your own (${login.configFile})`)
  row('judge', `GEMINI_API_KEY is set${config.GOOGLE_GEMINI_BASE_URL && `, asked at ${config.GOOGLE_GEMINI_BASE_URL}`}`)
  row('notices', channels.join(', ') || 'none is set: `dispatch notify setup`')
  row('cost', 'about $0.50 and 5 to 10 minutes. This is an estimate; models and prices change.')
  row('', 'With a Claude subscription it counts against its limits instead.\n')
}

async function confirmRun(json: boolean | undefined): Promise<boolean> {
  if (!json) return confirmAction('Begin?', 'smoke-test')
  throw new DispatchError('smoke-test asks before it spends money, and --json leaves no room to ask', {
    exitCode: exitCodes.usage,
    remedy: 'Say yes beforehand: dispatch smoke-test --yes',
  })
}

// --- the one way there is ---

const entryPoint = path.join(installFolder, 'bin/dispatch')

/** Begin it as anybody would, by the door; what it says when it does not start is passed on, with its exit code. */
async function startDispatch(task: string, config: Config): Promise<Session | number> {
  const ran = await runProgram('/bin/sh', [entryPoint, '--json', '--no-repo', '--', task])
  if (ran.exitCode === 0) return findSession(config.workspace, String(JSON.parse(ran.stdout).id))
  process.stderr.write(ran.stderr)
  return ran.exitCode ?? exitCodes.internal
}

// --- after ---

interface SmokeResult {
  id: string
  state: string
  exit: number
  seconds: number
  cost: SessionCost
  /** What became of the notice that tells of the success. */
  channelTests: ChannelTest[]
}

/** Nobody sits down with a session that has passed, so it is closed; any other stays open to be looked at. */
async function collectResult(session: Session, exit: number, config: Config): Promise<SmokeResult> {
  const { state, status } = await readView(session)
  if (status.phase === status.verdict?.verdict) await waitForTurnEnd(session)
  const passed = exit === exitCodes.ok
  const notice = {
    title: 'Dispatch: smoke test passed',
    body: `the smoke test, ${session.id}, has passed in round ${status.round}`,
    priority: 3,
    tags: ['tada'],
  }
  const channelTests = passed ? await testChannels(notice, config) : []
  if (passed) await runProgram('/bin/sh', [entryPoint, 'stop', session.id], { timeoutMs: 60_000 })
  return {
    id: session.id,
    state,
    exit,
    seconds: Math.round((Date.parse(status.verdict?.time ?? status.lastEventAt) - Date.parse(status.openedAt)) / 1000),
    cost: readCost(session),
    channelTests,
  }
}

/** The verdict stands and the orchestrator has its last words, which belong to the cost. */
async function waitForTurnEnd({ paths }: Session): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const { events } = readLog(paths.events)
    const after = events.slice(events.findLastIndex(event => event.type === 'verdict.given'))
    if (after.some(event => event.type === 'turn.ended') || computeStatus(events).closed) return
    await new Promise(resolve => setTimeout(resolve, 250))
  }
}

function printResult(found: SmokeResult): void {
  const { id, state, exit, seconds, channelTests } = found
  print()
  printCost(found.cost)
  print(`\n${paint('bold', 'Time')}  ${formatElapsed(seconds * 1000)} from the task to the verdict`)
  for (const { channel, ok, reason } of channelTests)
    if (!ok) print(paint('yellow', `\nThe ${channel} was not told: ${sanitize(reason)}`))
  const short = id.slice(-4)
  if (exit === exitCodes.ok) {
    print(
      `\n${paint('green', 'Smoke test passed.')} The session is closed and its folder stays: dispatch rm --force ${short}`,
    )
    return
  }
  print(`\n${paint('red', `The smoke test did not pass: ${state}.`)} It should have been PASS. To see why:`)
  print(`  dispatch show ${short}                  contract, evidence, verdict`)
  print(`  dispatch logs ${short} orchestrator     what was said`)
  print(`  dispatch attach ${short}                its terminal; dispatch stop ${short} ends it`)
}
