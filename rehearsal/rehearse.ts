import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { installFolder, pickVariables } from '#host/config'
import { DispatchError, exitCodes, signalExitCodes } from '#host/error.ts'
import { runInTerminal, runProgram } from '#host/exec.ts'
import { listNames } from '#host/fs'
import { startFakeModels } from './fake-models.ts'
import type { Scenario } from './scenario.ts'

const folder = path.join(installFolder, 'rehearsal/scenarios')

/**
 * `dispatch rehearse [scenario]`: play one scenario through the real dispatch, and tidy up after it. `settle` sees the
 * notices of its home delivered, while the stage still plays the phone.
 */
export async function rehearse(
  named: string | undefined,
  drainOutbox: (home: string) => Promise<void>,
): Promise<number> {
  const name = named ?? ((await isWorking('python3')) ? 'fibonacci' : 'fibonacci-in-javascript')
  const scenario = await loadScenario(name)
  printLine(
    'The models in this rehearsal are scripted: Claude and Gemini are played by a small server on this machine. All else is real.',
  )
  printLine(`Scenario ${name}: ${scenario.title}\n`)
  if (named === undefined && name !== 'fibonacci')
    printLine('(There is no python3 on this machine, so the same task is rehearsed in JavaScript.)\n')
  if (scenario.requiredProgram && !(await isWorking(scenario.requiredProgram)))
    throw new DispatchError(`scenario ${name} needs ${scenario.requiredProgram}, which is not on this machine`, {
      exitCode: exitCodes.dependency,
      remedy: '`dispatch rehearse --list` names the others.',
    })
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-rehearsal-'))
  const stage = await startFakeModels(scenario)
  const environment = buildRehearsalEnvironment(home, stage.url, scenario)
  const ended = endOnSignal(home, environment, drainOutbox)
  try {
    const code = await runInTerminal('/bin/sh', [entryPoint, '--wait', '--no-repo', '--', scenario.task], environment)
    return await closeRehearsal(home, environment, scenario, code)
  } finally {
    await ended()
    await stage.close()
    printLine(`
The session stays in ${home} until you remove it. To look at it:
  DISPATCH_HOME=${home}/dispatch ${entryPoint} show`)
  }
}

/** On a new Mac `python3` is there and only offers to install itself. */
async function isWorking(program: string): Promise<boolean> {
  return (await runProgram(program, ['--version'], { timeoutMs: 10_000 })).exitCode === 0
}

/** Names and titles of the scenarios. */
export async function printScenarios(): Promise<number> {
  for (const name of listScenarioNames()) printLine(`${name.padEnd(28)} ${(await loadScenario(name)).title}`)
  return exitCodes.ok
}

export function listScenarioNames(): string[] {
  return listNames(folder)
    .filter(file => file.endsWith('.ts'))
    .map(file => file.slice(0, -3))
}

export async function loadScenario(name: string): Promise<Scenario> {
  if (!listScenarioNames().includes(name))
    throw new DispatchError(`there is no scenario "${name}"`, {
      exitCode: exitCodes.notFound,
      remedy: `There are: ${listScenarioNames().join(', ')}.`,
    })
  return (await import(path.join(folder, `${name}.ts`))).scenario
}

const entryPoint = path.join(installFolder, 'bin/dispatch')

/** A home of its own, the stage in place of both vendors, and nothing of the user's but PATH and the terminal. */
export function buildRehearsalEnvironment(home: string, url: string, scenario: Scenario): NodeJS.ProcessEnv {
  const inherited = pickVariables([
    'PATH',
    'TERM',
    'LANG',
    'LC_ALL',
    'TMPDIR',
    'NO_COLOR',
    'FORCE_COLOR',
    'COLORTERM',
    'NODE_COMPILE_CACHE',
    'DISPATCH_DEV',
  ])
  return {
    ...inherited,
    HOME: path.join(home, 'home'),
    DISPATCH_HOME: path.join(home, 'dispatch'),
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'sk-rehearsal-0123456789abcdefghij',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    GEMINI_API_KEY: 'rehearsal',
    GOOGLE_GEMINI_BASE_URL: url,
    NTFY_SERVER: url,
    NTFY_TOPIC: 'rehearsal-9f86d081884c7d659a2feaa0c55ad0',
    DESKTOP: 'off',
    WEBUI_PORT: '0',
    ...scenario.settings,
  }
}

async function closeRehearsal(
  home: string,
  environment: NodeJS.ProcessEnv,
  scenario: Scenario,
  code: number,
): Promise<number> {
  const sessions = path.join(home, 'dispatch/workspace')
  const [id] = listNames(sessions)
  if (id === undefined) return code
  const outputs = path.join(sessions, id, 'outputs')
  if (scenario.shownFile) {
    const ran = await runProgram('/bin/sh', ['-c', scenario.shownFile], { cwd: outputs, timeoutMs: 30_000 })
    printLine(`\n$ ${scenario.shownFile}\n${ran.stdout}${ran.stderr}`.trimEnd())
  }
  const shown = await runProgram('/bin/sh', [entryPoint, 'show', id, '--json'], { env: toStrings(environment) })
  const state = String(JSON.parse(shown.stdout).state)
  const expected = scenario.endStates.includes(state)
  printLine(
    `\nThe session ended as "${state}", ${expected ? 'as this scenario should' : `but should have ended as ${scenario.endStates.join(' or ')}`}.`,
  )
  return expected ? exitCodes.ok : code || exitCodes.internal
}

/** Whatever happens, no process of the rehearsal outlives it. */
function endOnSignal(
  home: string,
  environment: NodeJS.ProcessEnv,
  settle: (home: string) => Promise<void>,
): () => Promise<void> {
  let over: Promise<void> | undefined
  const end = () => {
    over ??= runProgram('/bin/sh', [entryPoint, 'stop', '--all'], {
      env: toStrings(environment),
      timeoutMs: 60_000,
    }).then(() => settle(path.join(home, 'dispatch')))
    return over
  }
  for (const [signal, code] of Object.entries({ ...signalExitCodes, SIGPIPE: exitCodes.ok }))
    process.once(signal, () => void end().then(() => process.exit(code)))
  fs.mkdirSync(path.join(home, 'home'), { recursive: true })
  return end
}

function toStrings(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

function printLine(text: string): void {
  process.stdout.write(`${text}\n`)
}
