import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { installFolder, pickVariables } from '#host/config'
import { DispatchError, exitCodes, signalExitCodes } from '#host/error.ts'
import { runInTerminal, runProgram } from '#host/exec.ts'
import { listNames } from '#host/fs'
import { startFakeModels } from './fake-models.ts'
import type { Scenario } from './scenario.ts'

const scenariosFolder = path.join(installFolder, 'rehearsal/scenarios')
const entryPoint = path.join(installFolder, 'bin/dispatch')

/**
 * `dispatch rehearse [scenario]`: play one scenario with the real dispatch in a temporary home. Returns the exit code.
 * `drainOutbox` delivers the notifications of that home while the server still plays the phone.
 */
export async function rehearse(
  requestedName: string | undefined,
  drainOutbox: (home: string) => Promise<void>,
): Promise<number> {
  const name = requestedName ?? ((await isWorking('python3')) ? 'fibonacci' : 'fibonacci-in-javascript')
  const scenario = await loadScenario(name)
  printLine('The models in this rehearsal are scripted: a small server on this machine plays Claude and Gemini.')
  printLine('Everything else is real.')
  printLine(`Scenario ${name}: ${scenario.title}\n`)
  if (requestedName === undefined && name !== 'fibonacci')
    printLine('(python3 is not installed, so the same task is played in JavaScript.)\n')
  if (scenario.requiredProgram && !(await isWorking(scenario.requiredProgram)))
    throw new DispatchError(`scenario ${name} needs ${scenario.requiredProgram}, which is not installed`, {
      exitCode: exitCodes.dependency,
      remedy: 'Install it, or choose another scenario: `dispatch rehearse --list`.',
    })
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-rehearsal-'))
  const models = await startFakeModels(scenario)
  const environment = buildRehearsalEnvironment(home, models.url, scenario)
  const stopSessions = stopOnSignal(home, environment, drainOutbox)
  try {
    if (scenario.play !== undefined)
      return (await scenario.play({ home, environment, say: printLine })) ? exitCodes.ok : exitCodes.internal
    const command = [entryPoint, '--wait', '--no-repo', '--', scenario.task]
    const { exitCode } = await runInTerminal('/bin/sh', command, environment)
    return await showResult(home, environment, scenario, exitCode)
  } finally {
    await stopSessions()
    await models.close()
    printLine(`
The session stays in ${home} until you remove it. To look at it:
  DISPATCH_HOME=${home}/dispatch ${entryPoint} show`)
  }
}

/** On a new Mac `python3` exists and only offers to install itself. */
async function isWorking(program: string): Promise<boolean> {
  return (await runProgram(program, ['--version'], { timeoutMs: 10_000 })).exitCode === 0
}

/** `dispatch rehearse --list`: print the names and titles of the scenarios. Returns the exit code. */
export async function printScenarios(): Promise<number> {
  for (const name of listScenarioNames()) printLine(`${name.padEnd(28)} ${(await loadScenario(name)).title}`)
  return exitCodes.ok
}

export function listScenarioNames(): string[] {
  return listNames(scenariosFolder)
    .filter(file => file.endsWith('.ts'))
    .map(file => file.slice(0, -3))
}

/** Load a scenario by its name. Throws (exit 4) if it does not exist. */
export async function loadScenario(name: string): Promise<Scenario> {
  if (!listScenarioNames().includes(name))
    throw new DispatchError(`scenario "${name}" does not exist`, {
      exitCode: exitCodes.notFound,
      remedy: `Choose one of: ${listScenarioNames().join(', ')}.`,
    })
  return (await import(path.join(scenariosFolder, `${name}.ts`))).scenario
}

/** What a rehearsal gets of your environment. */
const inheritedVariables =
  'PATH TERM LANG LC_ALL TMPDIR NO_COLOR FORCE_COLOR COLORTERM NODE_COMPILE_CACHE DISPATCH_DEV'.split(' ')

/** A separate home, the server in place of both vendors, and nothing from your environment but PATH and the terminal. */
export function buildRehearsalEnvironment(home: string, url: string, scenario: Scenario): Record<string, string> {
  return {
    ...pickVariables(inheritedVariables),
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

/** Run the scenario's last command, and compare the session's state with what the scenario expects. Returns the exit code. */
async function showResult(
  home: string,
  environment: Record<string, string>,
  scenario: Scenario,
  exitCode: number,
): Promise<number> {
  const workspace = path.join(home, 'dispatch/workspace')
  const [id] = listNames(workspace)
  if (id === undefined) return exitCode
  if (scenario.finalCommand) {
    const cwd = path.join(workspace, id, 'outputs')
    const ran = await runProgram('/bin/sh', ['-c', scenario.finalCommand], { cwd, timeoutMs: 30_000 })
    printLine(`\n$ ${scenario.finalCommand}\n${ran.stdout}${ran.stderr}`.trimEnd())
  }
  const shown = await runProgram('/bin/sh', [entryPoint, 'show', id, '--json'], { env: environment })
  const state = String(JSON.parse(shown.stdout).state)
  const isExpected = scenario.endStates.includes(state)
  const comparison = isExpected ? 'as expected' : `but ${scenario.endStates.join(' or ')} was expected`
  printLine(`\nThe session ended as "${state}", ${comparison}.`)
  return isExpected ? exitCodes.ok : exitCode || exitCodes.internal
}

/** Returns a function that stops every session of the home, once. A signal calls it too, so that no process is left. */
function stopOnSignal(
  home: string,
  environment: Record<string, string>,
  drainOutbox: (home: string) => Promise<void>,
): () => Promise<void> {
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= runProgram('/bin/sh', [entryPoint, 'stop', '--all'], {
      env: environment,
      timeoutMs: 60_000,
    }).then(() => drainOutbox(path.join(home, 'dispatch')))
    return stopping
  }
  for (const [signal, exitCode] of Object.entries({ ...signalExitCodes, SIGPIPE: exitCodes.ok }))
    process.once(signal, () => void stop().then(() => process.exit(exitCode)))
  fs.mkdirSync(path.join(home, 'home'), { recursive: true })
  return stop
}

function printLine(text: string): void {
  process.stdout.write(`${text}\n`)
}
