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
 * `npm run bench`: from `dispatch` to the orchestrator's first API request, beside bare interactive `claude` in the same
 * run, alternating, without a sandbox and in one. Prints medians and their ratios; figures to look at, never a test.
 */
const rounds = Number(process.argv[2] ?? 7)
const scenario = { title: '', task: 'say hello', workers: {}, orchestrator: [say('hello')], endStates: [] }
const entryPoint = path.join(import.meta.dirname, '../../bin/dispatch')

const bare: number[] = []
const kinds = ['off', 'auto'] as const
const first = { off: [] as number[], auto: [] as number[] }
const back = { off: [] as number[], auto: [] as number[] }
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-bench-'))
const claude = await readVersion(findClaude())
console.log(`claude ${'version' in claude ? claude.version : claude.reason}, ${rounds} rounds each, alternating`)
const second = fs.mkdtempSync(path.join(home, 'ours-')) // One home for all starts: a user's second day, not the first.
for (const sandbox of kinds) await timeDispatch(second, sandbox)
for (let round = 0; round < rounds; round++) {
  bare.push(await timeBareClaude(fs.mkdtempSync(path.join(home, 'bare-'))))
  for (const sandbox of kinds) {
    const took = await timeDispatch(second, sandbox)
    first[sandbox].push(took.first)
    back[sandbox].push(took.back)
  }
}
printTimes('bare claude, tmux to first request', bare)
for (const sandbox of kinds) {
  printTimes(`dispatch to first request, SANDBOX=${sandbox}`, first[sandbox])
  printTimes(`dispatch until it returns, SANDBOX=${sandbox}`, back[sandbox])
  console.log(`ratio, SANDBOX=${sandbox}: ${(median(first[sandbox]) / median(bare)).toFixed(2)}`)
}
fs.rmSync(home, { recursive: true, force: true })

function printTimes(what: string, values: number[]): void {
  console.log(`${what.padEnd(42)} median ${median(values)} ms   (${values.join(' ')})`)
}

async function timeDispatch(folder: string, sandbox: string): Promise<{ first: number; back: number }> {
  const stage = await startFakeModels(scenario)
  const environment = strings({
    ...buildRehearsalEnvironment(folder, stage.url, scenario),
    NODE_COMPILE_CACHE: path.join(home, 'cache'),
    SANDBOX: sandbox,
  })
  fs.mkdirSync(path.join(folder, 'home'), { recursive: true })
  const begun = Date.now()
  await runProgram('/bin/sh', [entryPoint, '--no-repo', scenario.task], { env: environment, cwd: folder })
  const returned = Date.now() - begun
  const asked = (await firstRequest(stage)) - begun
  await runProgram('/bin/sh', [entryPoint, 'stop', '--all'], { env: environment })
  await stage.close()
  return { first: asked, back: returned }
}

async function timeBareClaude(folder: string): Promise<number> {
  const stage = await startFakeModels({ ...scenario, workers: {} })
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
    `#!/bin/sh\ncd ${folder}\nexport HOME=${folder} CLAUDE_CONFIG_DIR=${config} ANTHROPIC_BASE_URL=${stage.url} ANTHROPIC_API_KEY=sk-rehearsal-0123456789abcdefghij CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1\nexec ${argv[0]} hello\n`,
    0o700,
  )
  const tmux = openTmux(folder)
  const begun = Date.now()
  await tmux.openSession({ session: 'bare', folder }, [{ name: 'claude', command: ['/bin/sh', script] }], [])
  const first = await firstRequest(stage)
  await tmux.closeSession('bare')
  await stage.close()
  return first - begun
}

async function firstRequest(models: FakeModels): Promise<number> {
  for (;;) {
    const found = models.requests.find(seen => seen.path.startsWith('/v1/messages'))
    if (found) return found.at
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function strings(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
