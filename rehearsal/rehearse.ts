import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DispatchError, exits, install, namesIn, run, runInTerminal, signalExits, variables } from '../host/index.ts'
import type { Scenario } from './scenario.ts'
import { openStage } from './server.ts'

const folder = path.join(install, 'rehearsal/scenarios')

/**
 * `dispatch rehearse [scenario]`: play one scenario through the real dispatch, and tidy up after it. `settle` sees the
 * notices of its home delivered, while the stage still plays the phone.
 */
export async function rehearse(named: string | undefined, settle: (home: string) => Promise<void>): Promise<number> {
  const name = named ?? ((await works('python3')) ? 'fibonacci' : 'fibonacci-in-javascript')
  const scenario = await readScenario(name)
  say(
    'The models in this rehearsal are scripted: Claude and Gemini are played by a small server on this machine. All else is real.',
  )
  say(`Scenario ${name}: ${scenario.title}\n`)
  if (named === undefined && name !== 'fibonacci')
    say('(There is no python3 on this machine, so the same task is rehearsed in JavaScript.)\n')
  if (scenario.needs && !(await works(scenario.needs)))
    throw new DispatchError(`scenario ${name} needs ${scenario.needs}, which is not on this machine`, {
      exit: exits.dependency,
      remedy: '`dispatch rehearse --list` names the others.',
    })
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-rehearsal-'))
  const stage = await openStage(scenario)
  const environment = environmentFor(home, stage.url, scenario)
  const ended = endOnSignal(home, environment, settle)
  try {
    const code = await runInTerminal('/bin/sh', [door, '--wait', '--no-repo', '--', scenario.task], environment)
    return await close(home, environment, scenario, code)
  } finally {
    await ended()
    await stage.close()
    say(`
The session stays in ${home} until you remove it. To look at it:
  DISPATCH_HOME=${home}/dispatch ${door} show`)
  }
}

/** On a new Mac `python3` is there and only offers to install itself. */
async function works(program: string): Promise<boolean> {
  return (await run(program, ['--version'], { deadline: 10_000 })).code === 0
}

/** Names and titles of the scenarios. */
export async function list(): Promise<number> {
  for (const name of scenarioNames()) say(`${name.padEnd(28)} ${(await readScenario(name)).title}`)
  return exits.ok
}

export function scenarioNames(): string[] {
  return namesIn(folder)
    .filter(file => file.endsWith('.ts'))
    .map(file => file.slice(0, -3))
}

export async function readScenario(name: string): Promise<Scenario> {
  if (!scenarioNames().includes(name))
    throw new DispatchError(`there is no scenario "${name}"`, {
      exit: exits.notFound,
      remedy: `There are: ${scenarioNames().join(', ')}.`,
    })
  return (await import(path.join(folder, `${name}.ts`))).scenario
}

const door = path.join(install, 'bin/dispatch')

/** A home of its own, the stage in place of both vendors, and nothing of the user's but PATH and the terminal. */
export function environmentFor(home: string, url: string, scenario: Scenario): NodeJS.ProcessEnv {
  const inherited = variables([
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

async function close(home: string, environment: NodeJS.ProcessEnv, scenario: Scenario, code: number): Promise<number> {
  const sessions = path.join(home, 'dispatch/workspace')
  const [id] = namesIn(sessions)
  if (id === undefined) return code
  const outputs = path.join(sessions, id, 'outputs')
  if (scenario.show) {
    const ran = await run('/bin/sh', ['-c', scenario.show], { cwd: outputs, deadline: 30_000 })
    say(`\n$ ${scenario.show}\n${ran.stdout}${ran.stderr}`.trimEnd())
  }
  const shown = await run('/bin/sh', [door, 'show', id, '--json'], { env: strings(environment) })
  const state = String(JSON.parse(shown.stdout).state)
  const expected = scenario.ends.includes(state)
  say(
    `\nThe session ended as "${state}", ${expected ? 'as this scenario should' : `but should have ended as ${scenario.ends.join(' or ')}`}.`,
  )
  return expected ? exits.ok : code || exits.internal
}

/** Whatever happens, no process of the rehearsal outlives it. */
function endOnSignal(
  home: string,
  environment: NodeJS.ProcessEnv,
  settle: (home: string) => Promise<void>,
): () => Promise<void> {
  let over: Promise<void> | undefined
  const end = () => {
    over ??= run('/bin/sh', [door, 'stop', '--all'], { env: strings(environment), deadline: 60_000 }).then(() =>
      settle(path.join(home, 'dispatch')),
    )
    return over
  }
  for (const [signal, code] of Object.entries({ ...signalExits, SIGPIPE: exits.ok }))
    process.once(signal, () => void end().then(() => process.exit(code)))
  fs.mkdirSync(path.join(home, 'home'), { recursive: true })
  return end
}

function strings(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
