import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildFolder, installFolder } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { buildPolicy, detectSandbox, type SandboxPolicy } from '#host/sandbox'

/**
 * `npm run bench:sandbox`: what the sandbox adds to a start, on and off, alternating in one run; and what stands beside it
 * in memory. Figures to look at, never a test.
 */
const rounds = Number(process.argv[2] ?? 30)
const home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-bench-')))
const at = (name: string) => path.join(home, name)
for (const name of ['out', 'scratch']) fs.mkdirSync(at(name))
const env = {
  PATH: process.env['PATH'] ?? '',
  HOME: home,
  NODE_COMPILE_CACHE: path.join(os.tmpdir(), 'dispatch-test-compiled'),
}
const nothing = ['/bin/sh', '-c', ':']

function buildLauncherCommand(name: string, changes: Partial<SandboxPolicy>): string[] {
  const policy = buildPolicy('check', { folder: at('out'), tempFolder: at('scratch'), writablePaths: [at('out')] })
  fs.writeFileSync(at(name), JSON.stringify({ ...policy, ...changes }))
  return [process.execPath, path.join(installFolder, buildFolder, 'sandboxed.js'), at(name), '--']
}

const closed = buildLauncherCommand('closed', {})
const open = buildLauncherCommand('open', { role: 'code', allowedHosts: ['example.com:443'] })
const contestants: Record<string, string[]> = {
  'off (a shell that does nothing)': nothing,
  'node, and nothing else': [process.execPath, '-e', '0'],
  'on, without network (check, commit)': [...closed, ...nothing],
  'on, with a way out (agents, setup)': [...open, ...nothing],
}

const took = new Map(Object.keys(contestants).map(name => [name, [] as number[]]))
const probes: number[] = []
for (let round = -3; round < rounds; round++) {
  for (const [name, [program = '', ...words]] of Object.entries(contestants)) {
    const started = performance.now()
    const ran = await runProgram(program, words, { env, cwd: home })
    if (ran.exitCode !== 0) throw new Error(`${name}: exit ${ran.exitCode}\n${ran.stderr}`)
    if (round >= 0) took.get(name)?.push(performance.now() - started)
  }
  const started = performance.now()
  await detectSandbox()
  if (round >= 0) probes.push(performance.now() - started)
}
took.set('the look whether there is one', probes)
for (const [name, times] of took)
  console.log(`${name.padEnd(38)} p50 ${quantile(times, 0.5)} ms   p95 ${quantile(times, 0.95)} ms`)

const memoryUse = await measureMemory()
console.log(`beside it while it runs: ${memoryUse}`)
fs.rmSync(home, { recursive: true, force: true })

function quantile(times: number[], part: number): string {
  const sorted = times.toSorted((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(0).padStart(4)
}

/** Start one more and add up what its processes hold, as Linux tells it. */
async function measureMemory(): Promise<string> {
  if (process.platform !== 'linux') return 'not measured here'
  const running = runProgram(open[0] ?? '', [...open.slice(1), '/bin/sh', '-c', `touch ${at('out/up')}; sleep 1.5`], {
    env,
    cwd: home,
  })
  while (!fs.existsSync(at('out/up'))) await new Promise(resolve => setTimeout(resolve, 20))
  const ps = await runProgram('ps', ['-eo', 'pss,args'])
  await running
  const mine = ps.stdout.split('\n').filter(line => line.includes(home) || /dsp-\d+-/.test(line))
  const sizes = mine.map(line => Number(line.trim().split(/\s+/)[0]) || 0)
  return `${Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1024)} MB in ${mine.length} processes`
}
