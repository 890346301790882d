import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { installFolder } from '#host/config'

/**
 * `npm run bench:hooks`: what a hook costs claude, beside a shell that only reads its input and a Node that does nothing, in
 * the same run, alternating; and whether a thousand at once lose anything. Figures to look at, never a test.
 */
const rounds = Number(process.argv[2] ?? 300)
const many = Number(process.argv[3] ?? 1000)
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-hooks-'))
const spool = path.join(home, 'hook-inbox')
fs.mkdirSync(spool)
const env = { PATH: process.env['PATH'] ?? '', DISPATCH_HOOK_INBOX: spool, DISPATCH_WORKER: 's/bench' }
const recorder = path.join(installFolder, 'hooks/record')

const contestants: Record<string, [string, ...string[]]> = {
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

const took = new Map(Object.keys(contestants).map(name => [name, [] as number[]]))
for (let round = -5; round < rounds; round++)
  for (const [name, argv] of Object.entries(contestants)) {
    const milliseconds = await once(argv, payload)
    if (round >= 0) took.get(name)?.push(milliseconds)
  }
console.log(`${rounds} rounds, alternating, a payload of ${payload.length} bytes, load ${os.loadavg()[0]?.toFixed(1)}`)
for (const [name, all] of took) console.log(`${name.padEnd(24)} p50 ${at(all, 0.5)} ms   p99 ${at(all, 0.99)} ms`)
const shell = took.get("sh -c 'cat >/dev/null'") ?? []
const ours = took.get('sh hooks/record') ?? []
const over = (part: number) => (Number(at(ours, part)) - Number(at(shell, part))).toFixed(1)
console.log(`the recorder over the shell:  p50 ${over(0.5)} ms   p99 ${over(0.99)} ms   (goal: at most 15 ms p50)`)

fs.rmSync(spool, { recursive: true })
fs.mkdirSync(spool)
const begun = performance.now()
await Promise.all(Array.from({ length: many }, (_, n) => once(['/bin/sh', recorder], JSON.stringify({ n, payload }))))
const seconds = ((performance.now() - begun) / 1000).toFixed(1)
await settled()
const numbers = fs.readdirSync(spool).flatMap(numberIn)
const left = new Set(numbers)
console.log(`${many} at once: ${left.size} whole and apart, ${many - left.size} lost, in ${seconds} s`)
fs.rmSync(home, { recursive: true, force: true })

function once([program, ...args]: [string, ...string[]], input: string): Promise<number> {
  const started = performance.now()
  const child = spawn(program, args, { env, stdio: ['pipe', 'ignore', 'ignore'] })
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  return new Promise(resolve => child.once('exit', () => resolve(performance.now() - started)))
}

/** A recorder on a crowded machine comes back when it is late, and leaves its word all the same. */
async function settled(): Promise<void> {
  for (let before = -1; before !== fs.readdirSync(spool).length || names('.').length > 0; ) {
    before = fs.readdirSync(spool).length
    await new Promise(resolve => setTimeout(resolve, 1000))
  }
}

function names(beginning: string): string[] {
  return fs.readdirSync(spool).filter(name => name.startsWith(beginning))
}

function numberIn(name: string): number[] {
  try {
    const { n } = JSON.parse(fs.readFileSync(path.join(spool, name), 'utf8')) as { n: number }
    return [n]
  } catch {
    return [] // Not whole.
  }
}

function at(all: number[], part: number): string {
  const sorted = [...all].sort((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1)
}
