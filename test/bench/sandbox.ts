import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildFolder, installFolder } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { buildPolicy, detectSandbox, runClosed, type SandboxPolicy } from '#host/sandbox'

/**
 * `npm run bench:sandbox`: the time that the sandbox adds to a start, on and off, alternating in one run, as the median and
 * as the difference to a bare shell; and the memory of its processes. Figures to look at, not a test.
 */
const rounds = Number(process.argv[2] ?? 30)
const home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-bench-')))
const pathOf = (name: string) => path.join(home, name)
for (const name of ['out', 'scratch']) fs.mkdirSync(pathOf(name))
const env = {
  PATH: process.env['PATH'] ?? '',
  HOME: home,
  NODE_COMPILE_CACHE: path.join(os.tmpdir(), 'dispatch-test-compiled'),
}
const emptyCommand = ['/bin/sh', '-c', ':']

const policy = buildPolicy('check', {
  folder: pathOf('out'),
  tempFolder: pathOf('scratch'),
  writablePaths: [pathOf('out')],
})

function buildLauncherCommand(name: string, changes: Partial<SandboxPolicy>): string[] {
  fs.writeFileSync(pathOf(name), JSON.stringify({ ...policy, ...changes }))
  return [process.execPath, path.join(installFolder, buildFolder, 'sandbox.js'), pathOf(name), '--']
}

const closed = buildLauncherCommand('closed', {})
const open = buildLauncherCommand('open', { role: 'code', allowedHosts: ['example.com:443'] })
const commands: Record<string, string[]> = {
  'off (a shell that does nothing)': emptyCommand,
  'node, and nothing else': [process.execPath, '-e', '0'],
  'on, by a launcher (a worker’s git)': [...closed, ...emptyCommand],
  'on, with network (agents, setup)': [...open, ...emptyCommand],
}
const startHere = 'on, by this process (checks)'

const times = new Map([...Object.keys(commands), startHere].map(name => [name, [] as number[]]))
const probes: number[] = []
for (let round = -3; round < rounds; round++) {
  for (const [name, [program = '', ...args]] of Object.entries(commands)) {
    const started = performance.now()
    const ran = await runProgram(program, args, { env, cwd: home })
    if (ran.exitCode !== 0) throw new Error(`${name}: exit ${ran.exitCode}\n${ran.stderr}`)
    if (round >= 0) times.get(name)?.push(performance.now() - started)
  }
  const startedHere = performance.now()
  const ran = await runClosed(policy, emptyCommand, { env })
  if (!ran.hasStarted) throw new Error(`${startHere}: ${ran.stderr}`)
  if (round >= 0) times.get(startHere)?.push(performance.now() - startedHere)
  const started = performance.now()
  await detectSandbox()
  if (round >= 0) probes.push(performance.now() - started)
}
times.set('detecting the sandbox', probes)
const bareTime = Number(quantile(times.get('off (a shell that does nothing)') ?? [], 0.5))
for (const [name, values] of times) {
  const added = String(Number(quantile(values, 0.5)) - bareTime).padStart(4)
  console.log(`${name.padEnd(38)} p50 ${quantile(values, 0.5)} ms (+${added})   p95 ${quantile(values, 0.95)} ms`)
}
console.log(`load ${os.loadavg()[0]?.toFixed(1)}`)

const memoryUse = await measureMemory()
console.log(`memory of its processes: ${memoryUse}`)
fs.rmSync(home, { recursive: true, force: true })

function quantile(times: number[], part: number): string {
  const sorted = times.toSorted((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(0).padStart(4)
}

/** Start one more, and add up the proportional memory of its processes (Linux). */
async function measureMemory(): Promise<string> {
  if (process.platform !== 'linux') return 'not measured here'
  const running = runProgram(
    open[0] ?? '',
    [...open.slice(1), '/bin/sh', '-c', `touch ${pathOf('out/up')}; sleep 1.5`],
    {
      env,
      cwd: home,
    },
  )
  while (!fs.existsSync(pathOf('out/up'))) await new Promise(resolve => setTimeout(resolve, 20))
  const ps = await runProgram('ps', ['-eo', 'pss,args'])
  await running
  const ownLines = ps.stdout.split('\n').filter(line => line.includes(home) || /dsp-\w+-\d+-/.test(line))
  const sizes = ownLines.map(line => Number(line.trim().split(/\s+/)[0]) || 0)
  return `${Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1024)} MB in ${ownLines.length} processes`
}
