import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildInteractiveArguments, findClaude, prepareLogin } from '#host/claude'
import { runProgram } from '#host/exec.ts'
import { writeAtomic } from '#host/fs'
import { openTmux } from '#host/tmux'
import { readVersion } from '#host/versions.ts'
import { type FakeModels, startFakeModels } from '#rehearsal/fake-models.ts'
import { buildRehearsalEnvironment } from '#rehearsal/rehearse.ts'
import { say } from '#rehearsal/scenario.ts'

/**
 * `npm run bench`: the time from `dispatch` to the orchestrator's first API request, compared with bare `claude` in tmux,
 * alternating in one run, with and without a sandbox. Prints medians and their ratios. Figures to look at, not a test.
 */
const rounds = Number(process.argv[2] ?? 7)
const scenario = { title: '', task: 'say hello', workers: {}, orchestrator: [say('hello')], endStates: [] }
const entryPoint = path.join(import.meta.dirname, '../../bin/dispatch')

const bareTimes: number[] = []
const sandboxModes = ['off', 'auto'] as const
const firstRequestTimes = { off: [] as number[], auto: [] as number[] }
const returnTimes = { off: [] as number[], auto: [] as number[] }
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-bench-'))
const claude = await readVersion(findClaude())
console.log(`claude ${'version' in claude ? claude.version : claude.reason}, ${rounds} rounds each, alternating`)
const usedHome = fs.mkdtempSync(path.join(home, 'dispatch-')) // One home for all starts: a user's second day, not the first.
for (const sandbox of sandboxModes) await timeDispatch(usedHome, sandbox)
for (let round = 0; round < rounds; round++) {
  bareTimes.push(await timeBareClaude(fs.mkdtempSync(path.join(home, 'bare-'))))
  for (const sandbox of sandboxModes) {
    const times = await timeDispatch(usedHome, sandbox)
    firstRequestTimes[sandbox].push(times.firstRequest)
    returnTimes[sandbox].push(times.returned)
  }
}
printTimes('bare claude, tmux to first request', bareTimes)
for (const sandbox of sandboxModes) {
  printTimes(`dispatch to first request, SANDBOX=${sandbox}`, firstRequestTimes[sandbox])
  printTimes(`dispatch until it returns, SANDBOX=${sandbox}`, returnTimes[sandbox])
  console.log(`ratio, SANDBOX=${sandbox}: ${(median(firstRequestTimes[sandbox]) / median(bareTimes)).toFixed(2)}`)
}
fs.rmSync(home, { recursive: true, force: true })

function printTimes(what: string, values: number[]): void {
  console.log(`${what.padEnd(42)} median ${median(values)} ms   (${values.join(' ')})`)
}

async function timeDispatch(folder: string, sandbox: string): Promise<{ firstRequest: number; returned: number }> {
  const models = await startFakeModels(scenario)
  const environment = toStrings({
    ...buildRehearsalEnvironment(folder, models.url, scenario),
    NODE_COMPILE_CACHE: path.join(home, 'cache'),
    SANDBOX: sandbox,
  })
  fs.mkdirSync(path.join(folder, 'home'), { recursive: true })
  const startedMs = Date.now()
  await runProgram('/bin/sh', [entryPoint, '--no-repo', scenario.task], { env: environment, cwd: folder })
  const returned = Date.now() - startedMs
  const firstRequest = (await waitForRequest(models)) - startedMs
  await runProgram('/bin/sh', [entryPoint, 'stop', '--all'], { env: environment })
  await models.close()
  return { firstRequest, returned }
}

async function timeBareClaude(folder: string): Promise<number> {
  const models = await startFakeModels({ ...scenario, workers: {} })
  const config = path.join(folder, 'claude')
  prepareLogin(
    { kind: 'key', configDirectory: config, configFile: path.join(config, '.claude.json') },
    folder,
    'sk-rehearsal-0123456789abcdefghij',
  )
  const script = path.join(folder, 'bare.sh')
  const argv = buildInteractiveArguments(
    {
      program: findClaude(),
      model: 'opus',
      systemPromptFile: '/dev/null',
      settingsFile: '{}',
      sessionId: crypto.randomUUID(),
      tools: ['Bash'],
    },
    'hello',
  ).slice(0, 1)
  writeAtomic(
    script,
    `#!/bin/sh\ncd ${folder}\nexport HOME=${folder} CLAUDE_CONFIG_DIR=${config} ANTHROPIC_BASE_URL=${models.url} ANTHROPIC_API_KEY=sk-rehearsal-0123456789abcdefghij CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1\nexec ${argv[0]} hello\n`,
    0o700,
  )
  const tmux = openTmux(folder)
  const startedMs = Date.now()
  await tmux.openSession({ session: 'bare', folder }, [{ name: 'claude', command: ['/bin/sh', script] }], [])
  const firstRequest = await waitForRequest(models)
  await tmux.closeSession('bare')
  await models.close()
  return firstRequest - startedMs
}

async function waitForRequest(models: FakeModels): Promise<number> {
  for (;;) {
    const request = models.requests.find(({ path }) => path.startsWith('/v1/messages'))
    if (request) return request.at
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function toStrings(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
