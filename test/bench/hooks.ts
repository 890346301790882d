import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { installFolder } from '#host/config'

/**
 * `npm run bench:hooks`: the time of a hook, compared with a shell that only reads its input and a Node that does nothing,
 * alternating in one run; and whether a thousand at once lose an event. Figures to look at, not a test.
 */
const rounds = Number(process.argv[2] ?? 300)
const concurrentRuns = Number(process.argv[3] ?? 1000)
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-hooks-'))
const inbox = path.join(home, 'hook-inbox')
fs.mkdirSync(inbox)
const env = { PATH: process.env['PATH'] ?? '', DISPATCH_HOOK_INBOX: inbox, DISPATCH_WORKER: 's/bench' }
const recorder = path.join(installFolder, 'hooks/record')

const commands: Record<string, [string, ...string[]]> = {
  'sh hooks/record': ['/bin/sh', recorder],
  "sh -c 'cat >/dev/null'": ['/bin/sh', '-c', 'cat >/dev/null'],
  'node -e 0': [process.execPath, '-e', '0'],
}
const payload = JSON.stringify({
  session_id: '69d2742e-ab11-49f2-8479-d474907949e7',
  transcript_path: '/work/.claude/projects/-work/69d2742e-ab11-49f2-8479-d474907949e7.jsonl',
  cwd: '/work',
  prompt_id: '237b64f7-d0c0-4959-a845-31d719b04482',
  permission_mode: 'dontAsk',
  effort: { level: 'medium' },
  hook_event_name: 'Stop',
  stop_hook_active: false,
  last_assistant_message: 'The work is done, and the verdict is PASS. '.repeat(30),
  background_tasks: [],
  session_crons: [],
})

const times = new Map(Object.keys(commands).map(name => [name, [] as number[]]))
for (let round = -5; round < rounds; round++)
  for (const [name, argv] of Object.entries(commands)) {
    const milliseconds = await timeOnce(argv, payload)
    if (round >= 0) times.get(name)?.push(milliseconds)
  }
console.log(`${rounds} rounds, alternating, a payload of ${payload.length} bytes, load ${os.loadavg()[0]?.toFixed(1)}`)
for (const [name, all] of times)
  console.log(`${name.padEnd(24)} p50 ${quantile(all, 0.5)} ms   p99 ${quantile(all, 0.99)} ms`)
const shellTimes = times.get("sh -c 'cat >/dev/null'") ?? []
const recorderTimes = times.get('sh hooks/record') ?? []
const difference = (part: number) =>
  (Number(quantile(recorderTimes, part)) - Number(quantile(shellTimes, part))).toFixed(1)
console.log(
  `the hook, minus the shell:  p50 ${difference(0.5)} ms   p99 ${difference(0.99)} ms   (goal: at most 15 ms p50)`,
)

fs.rmSync(inbox, { recursive: true })
fs.mkdirSync(inbox)
const startedMs = performance.now()
await Promise.all(
  Array.from({ length: concurrentRuns }, (_, n) => timeOnce(['/bin/sh', recorder], JSON.stringify({ n, payload }))),
)
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
await waitForInbox()
const recorded = new Set(fs.readdirSync(inbox).flatMap(readNumber))
console.log(
  `${concurrentRuns} at once: ${recorded.size} recorded, ${concurrentRuns - recorded.size} lost, in ${seconds} s`,
)
fs.rmSync(home, { recursive: true, force: true })

function timeOnce([program, ...args]: [string, ...string[]], input: string): Promise<number> {
  const startedMs = performance.now()
  const child = spawn(program, args, { env, stdio: ['pipe', 'ignore', 'ignore'] })
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  return new Promise(resolve => child.once('exit', () => resolve(performance.now() - startedMs)))
}

/** Wait until no more files come: on a busy machine a hook returns early and writes its event later. */
async function waitForInbox(): Promise<void> {
  for (let before = -1; before !== fs.readdirSync(inbox).length || listNames('.').length > 0; ) {
    before = fs.readdirSync(inbox).length
    await new Promise(resolve => setTimeout(resolve, 1000))
  }
}

function listNames(prefix: string): string[] {
  return fs.readdirSync(inbox).filter(name => name.startsWith(prefix))
}

function readNumber(name: string): number[] {
  try {
    const { n } = JSON.parse(fs.readFileSync(path.join(inbox, name), 'utf8')) as { n: number }
    return [n]
  } catch {
    return [] // Not complete.
  }
}

function quantile(all: number[], part: number): string {
  const sorted = [...all].sort((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1)
}
