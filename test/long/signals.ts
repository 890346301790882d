/** Every command, interrupted: by a signal, by a closed pipe, and by Ctrl-c and Ctrl-d at its question. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { commandTable } from '#cli/commands/index.ts'
import { signalExitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { createSession, type SessionManifest } from '#session'
import { appendEvent } from '#session/log'
import { installRecorder } from '../fixtures/recording-claude.ts'
import { entryPoint, helloScenario, openRig, type Rig } from '../fixtures/rig.ts'
import { runInScript, type TerminalOptions } from '../fixtures/run-at-terminal.ts'
import { copySession } from '../fixtures/session-copies.ts'

type Signal = keyof typeof signalExitCodes
const signals = Object.keys(signalExitCodes) as Signal[]

let rig: Rig
/** The ids of a session with a verdict, and of one that still runs. */
let judged: string
let running: string
let repository: string
let port: number

before(async () => {
  rig = await openRig(helloScenario)
  const ran = await rig.dispatch([helloTask, '--wait', '--no-repo'])
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
  judged = rig.readSession().id
  const started = await rig.dispatch(['hang about', '--no-repo', '--json'], { env: { PATH: installRecorder(rig) } })
  running = JSON.parse(started.stdout).id
  repository = path.join(rig.home, 'elsewhere/project')
  const init = 'git init -q -b main "$0"; cd "$0"; echo "{}" >package-lock.json; git add .; git commit -qm one'
  const env = { ...rig.environment, ...author }
  assert.equal((await runProgram('/bin/sh', ['-c', init, repository], { env })).exitCode, 0)
  port = await findFreePort()
})

after(() => rig.close())

const author = {
  GIT_AUTHOR_NAME: 'u',
  GIT_AUTHOR_EMAIL: 'u@h',
  GIT_COMMITTER_NAME: 'u',
  GIT_COMMITTER_EMAIL: 'u@h',
}

/** One run of a command. */
interface CommandRun {
  args: string[]
  env?: Record<string, string>
  /** For a command that handles signals, which must not be blocked in a write: the signal comes after this output. */
  readyOutput?: RegExp
  /** It needs a terminal; see below. */
  needsTerminal?: true
}

/** Every command, so that a new one cannot be forgotten. A run that ends a session has its own. */
const commandRuns: Record<string, () => CommandRun> = {
  task: () => ({ args: ['do it', '--no-repo'], env: { PATH: installRecorder(rig) } }),
  ls: () => ({ args: ['ls'] }),
  show: () => ({ args: ['show', judged] }),
  watch: () => ({ args: ['watch', running] }),
  attach: () => ({ args: ['attach', running], needsTerminal: true }),
  stop: () => ({ args: ['stop', writeSession('open')] }),
  apply: () => ({ args: ['apply', judged, '--anyway', '--repo', repository] }),
  land: () => ({ args: ['land', 'ls'] }),
  pr: () => ({ args: ['pr', '--help'] }), // It needs GitHub.
  issue: () => ({ args: ['issue', '--help'] }),
  split: () => ({ args: ['split', '--help'] }),
  issues: () => ({ args: ['issues', '--help'] }),
  actions: () => ({ args: ['actions', '--help'] }), // It needs a remote.
  update: () => ({ args: ['update', '--help'] }),
  rm: () => ({ args: ['rm', '--force', writeSession('closed')] }),
  tidy: () => ({ args: ['tidy', '--yes'], env: { DISPATCH_HOME: path.join(rig.home, 'another') } }),
  backup: () => ({ args: ['backup', path.join(rig.home, 'backups')] }),
  restore: () => ({ args: ['restore', '--help'] }), // It refuses a home that is in use.
  logs: () => ({ args: ['logs', running, '--follow'] }),
  audit: () => ({ args: ['audit', judged] }),
  judge: () => ({ args: ['judge', '--help'] }), // What it may be asked about ends at once.
  contract: () => ({ args: ['contract', judged] }),
  matrix: () => ({ args: ['matrix', judged] }),
  cost: () => ({ args: ['cost'] }),
  notify: () => ({ args: ['notify'] }),
  prepare: () => ({ args: ['prepare', '--yes', '--repo', repository] }),
  say: () => ({ args: ['say', running, 'hello there'] }),
  approve: () => ({ args: ['approve', writeSession('asking')], needsTerminal: true }),
  wait: () => ({ args: ['wait', running] }),
  doctor: () => ({ args: ['doctor'] }),
  setup: () => ({ args: ['setup', '--yes'] }),
  service: () => ({ args: ['service', 'status'] }),
  uninstall: () => ({ args: ['uninstall', '--yes'] }),
  rehearse: () => ({ args: ['rehearse', 'never-spawns'], readyOutput: /Scenario/ }),
  'smoke-test': () => ({ args: ['smoke-test', '--yes'] }),
  completions: () => ({ args: ['completions', 'bash'] }),
  web: () => ({ args: ['web'], env: { WEBUI_PORT: String(port) }, readyOutput: /the page is at/ }),
  later: () => ({ args: ['later', 'do it', '--no-repo', '--at', '2036-01-01T00:00'] }),
  queue: () => ({ args: ['queue', '--all'] }),
  projects: () => ({ args: ['projects', 'discover', rig.home] }),
  pause: () => ({ args: ['pause'], env: { DISPATCH_HOME: path.join(rig.home, 'paused') } }),
  unpause: () => ({ args: ['unpause'], env: { DISPATCH_HOME: path.join(rig.home, 'paused') } }),
  resume: () => ({ args: ['resume', running, 'hello there'] }),
  retry: () => ({ args: ['retry', '--help'] }), // It starts a session, as `task` does.
  watchdog: () => ({ args: ['watchdog', '--help'] }), // It prints nothing, so no full pipe holds it.
  daemon: () => ({
    args: ['daemon'],
    env: { DISPATCH_HOME: path.join(rig.home, 'another') },
    readyOutput: /started, process/,
  }),
}

describe('a signal ends a command at once and quietly', { concurrency: 2 }, () => {
  it('every command has a run', () => {
    assert.deepEqual(Object.keys(commandRuns).sort(), ['task', ...commandTable.commands.map(({ name }) => name)].sort())
  })

  for (const [name, createRun] of Object.entries(commandRuns))
    it(name, async () => {
      for (const signal of signals) {
        const { args, env = {}, readyOutput, needsTerminal } = createRun()
        if (needsTerminal) return // In a terminal, below.
        const pipe = readyOutput ? undefined : createFullPipe()
        const child = startCommand(args, { env, ...(pipe ? { stdout: pipe.write } : {}) })
        const { errors, exitCode } = collect(child)
        await (readyOutput ? waitForOutput(child, readyOutput) : waitUntilIdle(child, 300))
        child.kill(signal)
        assert.equal(await exitCode, signalExitCodes[signal], `${signal}: ${errors()}`)
        assert.doesNotMatch(errors(), /internal error|\.ts:\d/)
        pipe?.close()
      }
      assert.equal((await rig.dispatch(['ls', '--json'])).exitCode, 0, 'the sessions are readable')
    })
})

describe('a closed pipe ends a command quietly, and with 0 where no verdict is waited for', { concurrency: 2 }, () => {
  /** Commands that write nothing for a while, and so do not notice the closed pipe. */
  const silent = ['attach', 'approve', 'watchdog', 'daemon', 'wait', 'watch', 'say', 'resume']
  for (const [name, createRun] of Object.entries(commandRuns).filter(([name]) => !silent.includes(name)))
    it(name, async () => {
      const { args, env = {} } = createRun()
      const child = startCommand(
        args.filter(arg => arg !== '--follow'),
        { env },
      )
      const { errors, exitCode } = collect(child)
      if (name === 'rehearse') await waitForOutput(child, /Scenario/)
      child.stdout?.destroy()
      assert.equal(await exitCode, name === 'smoke-test' ? 141 : 0, errors())
      assert.equal(errors(), '')
      if (name === 'rehearse') assert.deepEqual(listRehearsalProcesses(), [])
    })
})

describe('Ctrl-c at a question is exit 130, Ctrl-d is a no; both change nothing', { concurrency: 1 }, () => {
  before(async () => {
    const configFile = path.join(rig.home, 'home/.claude.json')
    fs.writeFileSync(configFile, JSON.stringify({ oauthAccount: { emailAddress: 'a@b' } }))
    assert.equal((await rig.dispatch(['setup', '--yes', '--hooks'])).exitCode, 0) // So that uninstall has something to remove.
  })

  /** The command, its prompt, and its exit code after a no. */
  const questions: Record<string, () => [line: string, prompt: RegExp, noExitCode: number]> = {
    'prepare, for a file it proposes': () => {
      fs.rmSync(path.join(repository, '.dispatch.json'), { force: true })
      return [`prepare --repo ${repository}`, /\[y\/N\]/, 0]
    },
    'prepare, for an existing file': () => [`prepare --repo ${writeUnconfirmedProject()}`, /\[y\/N\]/, 0],
    'a start, for an unconfirmed .dispatch.json': () => [`"do it" --repo ${writeUnconfirmedProject()}`, /\[y\/N\]/, 5],
    'smoke-test': () => ['smoke-test', /\[y\/N\]/, 5],
    approve: () => [`approve ${writeSession('asking')}`, /to continue: $/, 5],
    rm: () => [`rm ${copyClosedSession()}`, /to continue: $/, 5],
    apply: () => [`apply ${copyVoidSession()} --repo ${repository} --branch of-a-void`, /to continue: $/, 5],
    setup: () => ['setup', /\[y\/N\]/, 0],
    uninstall: () => ['uninstall', /\[y\/N\]/, 0],
  }

  for (const [name, question] of Object.entries(questions))
    it(name, async () => {
      const [line, prompt, noExitCode] = question()
      const env = name === 'setup' ? { ANTHROPIC_API_KEY: '' } : {}
      const before = hashState()
      for (const [answer, exitCode] of [
        ['\u0003', 130],
        ['\u0004', noExitCode],
      ] as const) {
        const { code, shown } = await runInTerminal(line, { prompt, answer, env })
        assert.equal(code, exitCode, shown)
        assert.doesNotMatch(shown, /internal error|Unhandled|\.ts:\d/)
        if (exitCode === 130) assert.match(shown, /(\[y\/N\]|to continue:)\s*$/, 'there is output after Ctrl-c')
        assert.equal(hashState(), before)
      }
    })

  it('a signal ends approve and attach with its code, and the session goes on', async () => {
    const eventsBefore = rig.readEvents(running).length
    for (const name of ['approve', 'attach']) {
      const args = commandRuns[name]?.().args ?? []
      for (const signal of signals) {
        const ended = runInTerminal(args.join(' '))
        const isCommand = ({ command }: { command: string }) =>
          /\/dispatch\.[jt]s /.test(command) && command.includes(`s ${args.join(' ')}`)
        const own = await rig.waitUntil(`${name} runs`, () =>
          rig.listProcesses().find(candidate => isCommand(candidate) && isNode(candidate)),
        )
        await new Promise(resolve => setTimeout(resolve, 1500))
        process.kill(own.pid, signal)
        assert.equal((await ended).code, signalExitCodes[signal], `${name} ${signal}`)
      }
    }
    assert.equal(rig.readEvents(running).length, eventsBefore)
  })

  const isNode = ({ command }: { command: string }) => /^\S*node\S* /.test(command)
})

const runInTerminal = (line: string, options?: TerminalOptions) => runInScript(rig, line, options)

// --- sessions without a runner ---

let counter = 0

/** Write a session without a runner that is open, closed, or waits for the approval of its contract. Returns its id. */
function writeSession(state: 'open' | 'closed' | 'asking'): string {
  const id = `2026-11-20-written-by-hand-${String(++counter).padStart(4, '0')}`
  const workspace = path.join(rig.home, 'dispatch/workspace')
  const aside = path.join(rig.home, 'aside') // Where the watchdog does not look, until it is complete.
  const manifest: SessionManifest = { ...rig.readSession(judged).manifest, id, requiresApproval: state === 'asking' }
  const { paths } = createSession(aside, manifest, Buffer.from(helloTask))
  const [first] = rig.readEvents(judged)
  assert.ok(first?.type === 'session.opened')
  const { seq: _, time: __, ...opened } = first
  appendEvent(paths.events, opened, 0, new Date())
  if (state === 'closed') appendEvent(paths.events, { type: 'session.closed', actor: 'you', reason: '' }, 1, new Date())
  if (state === 'asking') {
    const text = fs.readFileSync(rig.readSession(judged).paths.contract)
    const sha256 = createHash('sha256').update(text).digest('hex')
    appendEvent(paths.events, { type: 'approval.requested', sha256 }, 1, new Date())
    fs.mkdirSync(paths.messages, { recursive: true })
    fs.writeFileSync(path.join(paths.messages, `contract-${sha256}.md`), text)
  }
  fs.mkdirSync(workspace, { recursive: true })
  fs.renameSync(paths.folder, path.join(workspace, id))
  return id
}

/** Copy the judged session, closed. Its work is in no repository. Returns the id. */
function copyClosedSession(): string {
  return path.basename(copySession(rig, judged, 'cccc', { isClosed: true }).folder)
}

/** The same, with a change after the verdict. */
function copyVoidSession(): string {
  const { folder, outputs } = copySession(rig, judged, 'vvvv', { isClosed: true })
  fs.appendFileSync(path.join(outputs, 'hello.sh'), '# more\n')
  return path.basename(folder)
}

/** Write a project file into the repository that is not confirmed. Returns the repository. */
function writeUnconfirmedProject(): string {
  fs.writeFileSync(path.join(repository, '.dispatch.json'), '{ "setup": ["make deps"] }\n')
  fs.rmSync(path.join(rig.home, 'dispatch/confirmed'), { recursive: true, force: true })
  return repository
}

/** One hash of everything that a yes could have changed. */
function hashState(): string {
  const hash = createHash('sha256')
  const add = (file: string) => {
    const stats = fs.lstatSync(file, { throwIfNoEntry: false })
    hash.update(file)
    if (stats?.isFile()) hash.update(fs.readFileSync(file))
    if (stats?.isDirectory()) for (const name of fs.readdirSync(file).sort()) add(path.join(file, name))
  }
  const workspace = path.join(rig.home, 'dispatch/workspace')
  for (const file of [
    'home/.claude.json',
    'home/.claude/settings.json',
    'dispatch/confirmed',
    'dispatch/installed.json',
  ])
    add(path.join(rig.home, file))
  add(path.join(repository, '.dispatch.json'))
  add(path.join(repository, '.git/refs'))
  hash.update(fs.readdirSync(workspace).sort().join())
  return hash.digest('hex')
}

// --- processes ---

function startCommand(
  args: string[],
  { env, stdout = 'pipe' }: { env: Record<string, string>; stdout?: 'pipe' | number },
): ChildProcess {
  return spawn('/bin/sh', [entryPoint, ...args], {
    env: { ...rig.environment, ...env },
    cwd: path.join(rig.home, 'elsewhere'),
    stdio: ['ignore', stdout, 'pipe'],
  })
}

/** The standard error of a process, and its exit code as a shell counts it. */
function collect(child: ChildProcess): { errors: () => string; exitCode: Promise<number> } {
  let errors = ''
  child.stderr?.on('data', chunk => (errors += chunk))
  const exitCode = once(child, 'exit').then(([code, signal]) => code ?? signalExitCodes[signal as Signal] ?? -1)
  return { errors: () => errors, exitCode }
}

function waitForOutput(child: ChildProcess, pattern: RegExp): Promise<void> {
  let output = ''
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`it ended after: ${output}`)))
    child.stdout?.on('data', chunk => {
      output += chunk
      if (pattern.test(output)) resolve()
    })
  })
}

/** A full pipe: a process that writes to it is blocked in the middle. */
function createFullPipe(): { write: number; close(): void } {
  const fifo = path.join(rig.home, `full-${++counter}`)
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0)
  const both = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK)
  try {
    for (;;) fs.writeSync(both, Buffer.alloc(4096))
  } catch {} // EAGAIN: it is full.
  const write = fs.openSync(fifo, 'w')
  return { write, close: () => [both, write].forEach(fd => void fs.closeSync(fd)) }
}

/** Wait until the process has used no processor time for so long: it waits for something, or is blocked in a write. */
async function waitUntilIdle(child: ChildProcess, milliseconds: number): Promise<void> {
  let idleSinceMs = Date.now()
  for (let used = ''; Date.now() - idleSinceMs < milliseconds || used === ''; ) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode} before it was idle`)
    const current = readProcessorTime(child.pid)
    if (current !== used) idleSinceMs = Date.now()
    used = current
    await new Promise(resolve => setTimeout(resolve, 30))
  }
}

/** The processor time that a process has used. Without /proc, the value changes every 2 s. */
function readProcessorTime(pid: number | undefined): string {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ').slice(11, 13).join() ?? ''
  } catch {
    return String(Math.floor(process.uptime() / 2))
  }
}

/** Processes of rehearsals, which have their own home beside the rig's. */
function listRehearsalProcesses(): string[] {
  const homes = fs.readdirSync(path.join(rig.home, 'tmp')).filter(name => name.startsWith('dispatch-rehearsal-'))
  return rig.listProcesses().flatMap(({ command }) => (homes.some(name => command.includes(name)) ? [command] : []))
}

async function findFreePort(): Promise<number> {
  const server = http.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return address && typeof address === 'object' ? address.port : 0
}
