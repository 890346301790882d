/** F74 for every command there is: a signal in its middle, a reader that goes away, and Ctrl-c and Ctrl-d at its question. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { commands } from '#cli/commands/index.ts'
import { signalExitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { createSession, type SessionManifest } from '#session'
import { appendEvent } from '#session/log'
import { installRecorder } from '../fixtures/recorder.ts'
import { entryPoint, helloScenario, openRig, type Rig } from '../fixtures/rig.ts'

type Signal = keyof typeof signalExitCodes
const signals = Object.keys(signalExitCodes) as Signal[]

let rig: Rig
/** A session with a verdict, and one that goes on. */
let judged: string
let running: string
let repository: string
let port: number

before(async () => {
  rig = await openRig(helloScenario)
  const ran = await rig.dispatch([helloTask, '--wait', '--no-repo'])
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
  judged = rig.readSession().id
  const begun = await rig.dispatch(['hang about', '--no-repo', '--json'], { env: { PATH: installRecorder(rig) } })
  running = JSON.parse(begun.stdout).id
  repository = path.join(rig.home, 'elsewhere/project')
  const init = 'git init -q -b main "$0"; cd "$0"; echo "{}" >package-lock.json; git add .; git commit -qm one'
  const env = { ...rig.environment, ...author }
  assert.equal((await runProgram('/bin/sh', ['-c', init, repository], { env })).exitCode, 0)
  port = await aPort()
})

after(() => rig.close())

const author = {
  GIT_AUTHOR_NAME: 'u',
  GIT_AUTHOR_EMAIL: 'u@h',
  GIT_COMMITTER_NAME: 'u',
  GIT_COMMITTER_EMAIL: 'u@h',
}

/** One run of a command: its words, and what it says first where it has to be waited for by that. */
interface Play {
  words: string[]
  env?: Record<string, string>
  /** It hears signals itself, so it must not be stuck in writing: caught once it has said this. */
  says?: RegExp
  /** It asks, or shows, at a terminal only; see below. */
  terminal?: true
}

/** Every command, so that a new one cannot be forgotten. Each run has a session of its own where it ends one. */
const plays: Record<string, () => Play> = {
  task: () => ({ words: ['do it', '--no-repo'], env: { PATH: installRecorder(rig) } }),
  ls: () => ({ words: ['ls'] }),
  show: () => ({ words: ['show', judged] }),
  watch: () => ({ words: ['watch', running] }),
  attach: () => ({ words: ['attach', running], terminal: true }),
  stop: () => ({ words: ['stop', writeSession('open')] }),
  apply: () => ({ words: ['apply', judged, '--anyway', '--repo', repository] }),
  rm: () => ({ words: ['rm', '--force', writeSession('closed')] }),
  logs: () => ({ words: ['logs', running, '--follow'] }),
  audit: () => ({ words: ['audit', judged] }),
  contract: () => ({ words: ['contract', judged] }),
  matrix: () => ({ words: ['matrix', judged] }),
  cost: () => ({ words: ['cost'] }),
  notify: () => ({ words: ['notify'] }),
  prepare: () => ({ words: ['prepare', '--yes', '--repo', repository] }),
  say: () => ({ words: ['say', running, 'hello there'] }),
  approve: () => ({ words: ['approve', writeSession('asking')], terminal: true }),
  wait: () => ({ words: ['wait', running] }),
  doctor: () => ({ words: ['doctor'] }),
  setup: () => ({ words: ['setup', '--yes'] }),
  uninstall: () => ({ words: ['uninstall', '--yes'] }),
  rehearse: () => ({ words: ['rehearse', 'never-spawns'], says: /Scenario/ }),
  'smoke-test': () => ({ words: ['smoke-test', '--yes'] }),
  completions: () => ({ words: ['completions', 'bash'] }),
  web: () => ({ words: ['web'], env: { WEBUI_PORT: String(port) }, says: /the page is at/ }),
  watchdog: () => ({ words: ['watchdog', '--watch'] }),
}

describe('F74 a signal ends every command at once and quietly: 130, 143, 129', { concurrency: 2 }, () => {
  it('every command is looked at', () => {
    assert.deepEqual(Object.keys(plays).sort(), ['task', ...commands.map(({ name }) => name)].sort())
  })

  for (const [name, play] of Object.entries(plays))
    it(name, async () => {
      for (const signal of signals) {
        const { words, env = {}, says, terminal } = play()
        if (terminal) return // In a terminal, below.
        const pipe = says ? undefined : fullPipe()
        const child = begin(words, { env, ...(pipe ? { stdout: pipe.write } : {}) })
        const { errors, ended } = heard(child)
        await (says ? saidBy(child, says) : idleFor(child, 300))
        child.kill(signal)
        assert.equal(await ended, signalExitCodes[signal], `${signal}: ${errors()}`)
        assert.doesNotMatch(errors(), /bug of ours|\.ts:\d/)
        pipe?.close()
      }
      assert.equal((await rig.dispatch(['ls', '--json'])).exitCode, 0, 'the state is legal')
    })
})

describe('F74 a reader that goes away is no failure: every command ends with 0, quietly', { concurrency: 2 }, () => {
  /** What ends by itself; the others go on without a word to anybody, until a signal ends them. */
  const silent = ['attach', 'approve', 'watchdog', 'wait', 'watch', 'say']
  for (const [name, play] of Object.entries(plays).filter(([name]) => !silent.includes(name)))
    it(name, async () => {
      const { words, env = {} } = play()
      const child = begin(
        words.filter(word => word !== '--follow'),
        { env },
      )
      const { errors, ended } = heard(child)
      if (name === 'rehearse') await saidBy(child, /Scenario/)
      child.stdout?.destroy()
      assert.equal(await ended, 0, errors())
      assert.equal(errors(), '')
      if (name === 'rehearse') assert.deepEqual(leftOver(), [], 'a rehearsal is over when nobody looks at it')
    })
})

describe('F74 Ctrl-c at a question is quiet, exit 130, and changes nothing; Ctrl-d is a no', { concurrency: 1 }, () => {
  before(async () => {
    const own = path.join(rig.home, 'home/.claude.json')
    fs.writeFileSync(own, JSON.stringify({ oauthAccount: { emailAddress: 'a@b' } }))
    assert.equal((await rig.dispatch(['setup', '--yes', '--hooks'])).exitCode, 0) // So that there is something to take back.
  })

  /** What to type, what it asks, and its exit code after a no. */
  const questions: Record<string, () => [line: string, asked: RegExp, afterNo: number]> = {
    'prepare, for what it proposes': () => {
      fs.rmSync(path.join(repository, '.dispatch.json'), { force: true })
      return [`prepare --repo ${repository}`, /Write this file.*\[y\/N\]/, 0]
    },
    'prepare, for a file that is there': () => [`prepare --repo ${unconfirmed()}`, /exactly this file\? \[y\/N\]/, 0],
    'a start, for a .dispatch.json it does not know': () => [
      `"do it" --repo ${unconfirmed()}`,
      /exactly this file\? \[y\/N\]/,
      5,
    ],
    'smoke-test': () => ['smoke-test', /Begin\? \[y\/N\]/, 0],
    approve: () => [`approve ${writeSession('asking')}`, /to continue: $/, 5],
    rm: () => [`rm ${closedCopy()}`, /to continue: $/, 5],
    apply: () => [`apply ${voidCopy()} --repo ${repository} --branch of-a-void`, /to continue: $/, 5],
    setup: () => ['setup', /Write it\? \[y\/N\]/, 0],
    uninstall: () => ['uninstall', /Go on although they run\? \[y\/N\]/, 0],
  }

  for (const [name, question] of Object.entries(questions))
    it(name, async () => {
      const [words, asked, afterNo] = question()
      const env = name === 'setup' ? { ANTHROPIC_API_KEY: '' } : {}
      const untouched = stateOf()
      for (const [key, exit] of [
        ['\u0003', 130],
        ['\u0004', afterNo],
      ] as const) {
        const { code, seen } = await runAtTerminal(words, { asked, key, env })
        assert.equal(code, exit, seen)
        assert.doesNotMatch(seen, /bug of ours|Unhandled|\.ts:\d/)
        if (exit === 130) assert.match(seen, /(\[y\/N\]|to continue:)\s*$/, 'something was said after Ctrl-c')
        assert.equal(stateOf(), untouched)
      }
    })

  it('approve and attach, by a signal: their code, and the session goes on', async () => {
    const began = rig.readEvents(running).length
    for (const name of ['approve', 'attach']) {
      const words = plays[name]?.().words ?? []
      for (const signal of signals) {
        const ended = runAtTerminal(words.join(' '))
        const isOwn = ({ command }: { command: string }) =>
          /\/dispatch\.[jt]s /.test(command) && command.includes(`s ${words.join(' ')}`)
        const own = await rig.waitUntil(
          `${name} runs`,
          () => rig.listProcesses().find(one => isOwn(one) && isNode(one)),
          20,
        )
        await new Promise(resolve => setTimeout(resolve, 1500))
        process.kill(own.pid, signal)
        assert.equal((await ended).code, signalExitCodes[signal], `${name} ${signal}`)
      }
    }
    assert.equal(rig.readEvents(running).length, began)
  })

  const isNode = ({ command }: { command: string }) => /^\S*node\S* /.test(command)
})

/** The real dispatch at a terminal, where a person presses one key once they are asked. */
async function runAtTerminal(
  words: string,
  { asked, key = '', env = {} }: { asked?: RegExp; key?: string; env?: Record<string, string> } = {},
): Promise<{ code: number | null; seen: string }> {
  const child = spawn('script', ['-qec', `/bin/sh ${entryPoint} ${words}`, '/dev/null'], {
    env: { ...rig.environment, ...env, TERM: 'xterm' },
    cwd: path.join(rig.home, 'elsewhere'),
    timeout: 30_000,
  })
  let seen = ''
  let pressed = false
  child.stdout.on('data', chunk => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told besides words
    seen = (seen + chunk).replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    if (!pressed && asked?.test(seen)) pressed = child.stdin.write(key)
  })
  const [code] = await once(child, 'close')
  return { code, seen }
}

// --- sessions that are laid by hand ---

let laid = 0

/** A session without a runner: open, closed, or waiting for a yes to its contract. Answers its id. */
function writeSession(how: 'open' | 'closed' | 'asking'): string {
  const id = `2026-11-20-laid-by-hand-${String(++laid).padStart(4, '0')}`
  const workspace = path.join(rig.home, 'dispatch/workspace')
  const aside = path.join(rig.home, 'aside') // Where no watchdog looks, until it is whole.
  const opening: SessionManifest = { ...rig.readSession(judged).manifest, id, requiresApproval: how === 'asking' }
  const { paths } = createSession(aside, opening, Buffer.from(helloTask))
  const [first] = rig.readEvents(judged)
  assert.ok(first?.type === 'session.opened')
  const { seq: _, time: __, ...opened } = first
  appendEvent(paths.events, opened, 0, new Date())
  if (how === 'closed') appendEvent(paths.events, { type: 'session.closed', actor: 'you', reason: '' }, 1, new Date())
  if (how === 'asking') {
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

/** The judged session again, closed, with work that no repository has. */
function closedCopy(): string {
  return copyOf('cccc')
}

/** The same, and changed since its verdict. */
function voidCopy(): string {
  const id = copyOf('vvvv')
  fs.appendFileSync(path.join(rig.readSession(id).paths.outputs, 'hello.sh'), '# more\n')
  return id
}

function copyOf(letters: string): string {
  const { folder } = rig.readSession(judged).paths
  const id = `${judged.slice(0, -4)}${letters}`
  const aside = path.join(rig.home, letters)
  fs.cpSync(folder, aside, { recursive: true, verbatimSymlinks: true })
  fs.rmSync(path.join(aside, '.runner-lease'), { recursive: true, force: true })
  appendEvent(path.join(aside, 'events.jsonl'), { type: 'session.closed', actor: 'you', reason: '' }, 999, new Date())
  fs.renameSync(aside, path.join(path.dirname(folder), id))
  return id
}

/** The repository with a project file of ours that nobody has said yes to. */
function unconfirmed(): string {
  fs.writeFileSync(path.join(repository, '.dispatch.json'), '{ "setup": ["make deps"] }\n')
  fs.rmSync(path.join(rig.home, 'dispatch/confirmed'), { recursive: true, force: true })
  return repository
}

/** Everything that a yes could have changed, as one hash. */
function stateOf(): string {
  const hash = createHash('sha256')
  const add = (place: string) => {
    const found = fs.lstatSync(place, { throwIfNoEntry: false })
    hash.update(place)
    if (found?.isFile()) hash.update(fs.readFileSync(place))
    if (found?.isDirectory()) for (const name of fs.readdirSync(place).sort()) add(path.join(place, name))
  }
  const workspace = path.join(rig.home, 'dispatch/workspace')
  for (const place of [
    'home/.claude.json',
    'home/.claude/settings.json',
    'dispatch/confirmed',
    'dispatch/installed.json',
  ])
    add(path.join(rig.home, place))
  add(path.join(repository, '.dispatch.json'))
  add(path.join(repository, '.git/refs'))
  hash.update(fs.readdirSync(workspace).sort().join())
  return hash.digest('hex')
}

// --- processes ---

function begin(
  words: string[],
  { env, stdout = 'pipe' }: { env: Record<string, string>; stdout?: 'pipe' | number },
): ChildProcess {
  return spawn('/bin/sh', [entryPoint, ...words], {
    env: { ...rig.environment, ...env },
    cwd: path.join(rig.home, 'elsewhere'),
    stdio: ['ignore', stdout, 'pipe'],
  })
}

/** Its standard error, and its exit code as a shell counts it. */
function heard(child: ChildProcess): { errors: () => string; ended: Promise<number> } {
  let errors = ''
  child.stderr?.on('data', chunk => (errors += chunk))
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signalExitCodes[signal as Signal] ?? -1)
  return { errors: () => errors, ended }
}

function saidBy(child: ChildProcess, words: RegExp): Promise<void> {
  let said = ''
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`it ended after: ${said}`)))
    child.stdout?.on('data', chunk => {
      said += chunk
      if (words.test(said)) resolve()
    })
  })
}

/** A pipe that takes not one byte more: whoever writes to it is caught in the middle. */
function fullPipe(): { write: number; close(): void } {
  const fifo = path.join(rig.home, `full-${++laid}`)
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0)
  const both = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK)
  try {
    for (;;) fs.writeSync(both, Buffer.alloc(4096))
  } catch {} // EAGAIN: it is full.
  const write = fs.openSync(fifo, 'w')
  return { write, close: () => [both, write].forEach(fd => void fs.closeSync(fd)) }
}

/** Wait until the process has stood still for so long: it waits for somebody, or has nowhere to write. */
async function idleFor(child: ChildProcess, milliseconds: number): Promise<void> {
  let since = Date.now()
  for (let used = ''; Date.now() - since < milliseconds || used === ''; ) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode} before it was caught`)
    const now = timeUsed(child.pid)
    if (now !== used) since = Date.now()
    used = now
    await new Promise(resolve => setTimeout(resolve, 30))
  }
}

/** What the process has used of the processor; where there is no /proc, one second is waited. */
function timeUsed(pid: number | undefined): string {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ').slice(11, 13).join() ?? ''
  } catch {
    return String(Math.floor(process.uptime() / 2))
  }
}

/** Rehearsals have a home of their own, beside the rig's. */
function leftOver(): string[] {
  const places = fs.readdirSync(path.join(rig.home, 'tmp')).filter(name => name.startsWith('dispatch-rehearsal-'))
  return rig.listProcesses().flatMap(({ command }) => (places.some(name => command.includes(name)) ? [command] : []))
}

async function aPort(): Promise<number> {
  const server = http.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return address && typeof address === 'object' ? address.port : 0
}
