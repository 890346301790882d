/** What is refused at the door, before anything is made, and what goes on all the same: exit code and words. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { commands } from '#cli/commands/index.ts'
import { type RunResult, runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { createSession, type Session, type SessionManifest } from '#session'
import { appendEvent } from '#session/log'
import { installRecorder } from '../fixtures/recorder.ts'
import { entryPoint, fingerprintFolder, helloScenario, openRig, type Rig, withRig } from '../fixtures/rig.ts'

let rig: Rig
before(async () => {
  rig = await openRig(helloScenario)
})
after(() => rig.close())

const workspace = () => path.join(rig.home, 'dispatch/workspace')
const sessions = () => (fs.existsSync(workspace()) ? fs.readdirSync(workspace()) : [])
const own = { ANTHROPIC_API_KEY: '' }
const ownConfig = () => path.join(rig.home, 'home/.claude.json')
const mkfifo = (place: string) => assert.equal(spawnSync('mkfifo', [place]).status, 0)

/** Exit code and words, and no session more than before. */
async function refused(ran: Promise<RunResult>, exit: number, words: RegExp): Promise<RunResult> {
  const before = sessions().length
  const { exitCode, stderr, stdout } = await ran
  assert.equal(exitCode, exit, stdout + stderr)
  assert.match(stderr, words)
  assert.doesNotMatch(stderr, /bug of ours/)
  assert.equal(sessions().length, before, 'a folder was made')
  return ran
}

async function repository(name: string, files: Record<string, string> = {}, format = 'sha1'): Promise<string> {
  const folder = path.join(rig.home, 'elsewhere', name)
  await runProgram('git', ['init', '-q', '-b', 'main', `--object-format=${format}`, folder])
  for (const [file, text] of Object.entries({ readme: 'one\n', '.gitignore': '.env.test\n', ...files })) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    fs.writeFileSync(path.join(folder, file), text)
  }
  await runProgram('git', ['add', '.'], { cwd: folder })
  const ran = await runProgram('git', ['-c', 'user.name=u', '-c', 'user.email=u@h', 'commit', '-qm', 'one'], {
    cwd: folder,
  })
  assert.equal(ran.exitCode, 0, ran.stderr)
  return folder
}

/** A session without a runner, laid by hand. */
function writeSession(letters: string, changes: Record<string, unknown> = {}): Session {
  const opening = {
    format: 1,
    id: `2026-11-20-laid-${letters}`,
    openedAt: '2026-11-20T00:00:00.000Z',
    task: { bytes: 5, sha256: '0'.repeat(64), title: `the title of ${letters} `.repeat(8) },
    repository: null,
    models: { orchestrator: 'opus', code: 'opus', rw: 'sonnet', judge: 'gemini' },
    rounds: 3,
    judgedOnly: false,
    approve: false,
    project: null,
    instructions: { files: [], deeper: [], ignored: [] },
    claude: { program: '', session: '', configDirectory: null },
    ...changes,
  } as unknown as SessionManifest
  const session = createSession(path.join(rig.home, 'aside'), opening, Buffer.from('do it'))
  appendEvent(session.paths.events, { type: 'session.closed', actor: 'you', reason: '' }, 1, new Date())
  fs.mkdirSync(workspace(), { recursive: true })
  fs.renameSync(session.paths.folder, path.join(workspace(), opening.id))
  return session
}

describe('claude and the other programs', () => {
  it('F43 a real claude that nobody is logged in to: exit 7 before a folder is made; one with an account is not asked', async () => {
    fs.writeFileSync(
      ownConfig(),
      JSON.stringify({ projects: { [workspace()]: { hasTrustDialogAccepted: true } }, numStartups: 1 }),
    )
    await refused(
      rig.dispatch(['do it'], { env: own }),
      7,
      /claude is not logged in \(.*\.claude\.json names no account\)\n {2}Run `claude`, then `\/login`/,
    )
    const doctor = await rig.dispatch(['doctor'], { env: own })
    assert.match(doctor.stdout, /BAD +login +claude is not logged in/)
    const bin = path.join(rig.home, 'asked')
    fs.mkdirSync(bin)
    const script = '#!/bin/sh\n[ "$1" = --version ] && exec echo 2.1.329\necho "$@" >>"$0.heard"; exit 1\n'
    fs.writeFileSync(path.join(bin, 'claude'), script, { mode: 0o755 })
    const { projects } = JSON.parse(fs.readFileSync(ownConfig(), 'utf8'))
    fs.writeFileSync(ownConfig(), JSON.stringify({ projects, oauthAccount: { emailAddress: 'a@b' } }))
    await rig.dispatch(['do it', '--no-repo'], { env: { ...own, PATH: `${bin}:${rig.environment['PATH']}` } })
    assert.doesNotMatch(fs.readFileSync(path.join(bin, 'claude.heard'), 'utf8'), /auth status/)
  })

  it('F63 a git or tmux that is too old: exit 6 as doctor says, before a folder is made', async () => {
    for (const [name, says, words] of [
      ['git', 'git version 2.31.9', /git 2\.31\.9 is too old, 2\.32 is needed\n {2}Update it: `brew install git`/],
      ['tmux', 'tmux 2.9a', /tmux 2\.9a is too old, 3\.0 is needed\n {2}Update it: `brew install tmux`/],
    ] as const) {
      const bin = path.join(rig.home, `old-${name}`)
      fs.mkdirSync(bin)
      fs.writeFileSync(path.join(bin, name), `#!/bin/sh\necho ${says}\n`, { mode: 0o755 })
      const PATH = `${bin}:${rig.environment['PATH']}`
      await refused(rig.dispatch(['do it'], { env: { PATH } }), 6, words)
      assert.match((await rig.dispatch(['doctor'], { env: { PATH } })).stdout, new RegExp(`BAD +${name} .*is too old`))
    }
  })

  it('F41 without a key the session runs and is INCONCLUSIVE: exit 12 at --wait', () =>
    withRig(
      helloScenario,
      async other => {
        const ran = await other.dispatch([helloTask, '--wait', '--no-repo'])
        assert.equal(ran.exitCode, 12, ran.stdout + ran.stderr)
        assert.match(
          ran.stdout,
          /GEMINI_API_KEY is not set[\s\S]*in an empty repository|in an empty repository[\s\S]*GEMINI_API_KEY is not set/,
        )
      },
      { GEMINI_API_KEY: '' },
    ))
})

describe('files of the user that are no files', () => {
  const kinds: [string, (place: string) => void][] = [
    ['a folder', place => void fs.mkdirSync(place)],
    ['a pipe', mkfifo],
    [
      'a socket',
      place =>
        void spawnSync(process.execPath, [
          '-e',
          `require("net").createServer().listen(${JSON.stringify(place)},()=>process.exit())`,
        ]),
    ],
  ]
  for (const [kind, make] of kinds)
    it(`${kind} in place of .claude.json or settings.json is said at once, exit 2`, async () => {
      const settings = path.join(rig.home, 'home/.claude/settings.json')
      fs.mkdirSync(path.dirname(settings), { recursive: true })
      const words = new RegExp(`is ${kind}.*, and should be a file\\n.*move it away`)
      const account = { oauthAccount: {}, projects: { [workspace()]: { hasTrustDialogAccepted: true } } }
      for (const file of [ownConfig(), settings]) {
        if (file === settings) fs.writeFileSync(ownConfig(), JSON.stringify(account))
        fs.rmSync(file, { recursive: true, force: true })
        make(file)
        if (!fs.existsSync(file)) continue // Node takes its socket along.
        await refused(rig.dispatch(['do it'], { env: own }), 2, words)
        await refused(rig.dispatch(['setup', '--hooks', '--yes'], { env: own }), 2, words)
        const doctor = await rig.dispatch(['doctor'], { env: own })
        assert.equal(doctor.exitCode, 6, doctor.stderr)
        assert.match(doctor.stdout.replace(/\s+/g, ' '), new RegExp(`BAD .*is ${kind}`))
        fs.rmSync(file, { recursive: true })
      }
    })

  it('F61 a home, a ~/.claude and a settings.json that are links: written at their end, and the links stay', async () => {
    const place = path.join(rig.home, 'dotfiles')
    fs.mkdirSync(path.join(place, 'claude'), { recursive: true })
    fs.writeFileSync(path.join(place, 'settings.json'), '{ "model": "opus" }\n')
    fs.symlinkSync(path.join(place, 'settings.json'), path.join(place, 'claude/settings.json'))
    fs.mkdirSync(path.join(place, 'real'))
    fs.symlinkSync(path.join(place, 'claude'), path.join(place, 'real/.claude'))
    fs.symlinkSync(path.join(place, 'real'), path.join(place, 'home'))
    const before = contents(place)
    const env = { ...own, HOME: path.join(place, 'home') }
    const set = await rig.dispatch(['setup', '--hooks', '--yes'], { env })
    assert.equal(set.exitCode, 0, set.stderr)
    assert.match(fs.readFileSync(path.join(place, 'settings.json'), 'utf8'), /hooks\/elsewhere/)
    assert.match(fs.readFileSync(path.join(place, 'real/.claude.json'), 'utf8'), /hasTrustDialogAccepted/)
    for (const link of ['home', 'real/.claude', 'claude/settings.json'])
      assert.ok(fs.lstatSync(path.join(place, link)).isSymbolicLink(), link)
    assert.equal((await rig.dispatch(['uninstall', '--yes'], { env })).exitCode, 0)
    assert.deepEqual(contents(place), before)
  })

  it('F64 a settings.json that does not read is exit 2 with line and column, and not touched', async () => {
    const file = path.join(rig.home, 'home/.claude/settings.json')
    for (const [text, at] of [
      ['{\n  "hooks": {,}\n}', /settings\.json:2:\d+: .*left as it is/],
      ['[1]', /settings\.json:1:1: it holds no object/],
      ['{\n "hooks": []\n}', /settings\.json:2:\d+: "hooks" is no object/],
    ] as const) {
      fs.writeFileSync(file, text)
      await refused(rig.dispatch(['setup', '--hooks', '--yes']), 2, at)
      assert.equal(fs.readFileSync(file, 'utf8'), text)
    }
    fs.rmSync(file)
  })

  it('F73 uninstall takes along a ~/.claude that setup made, and leaves one that others use', async () => {
    for (const used of [false, true]) {
      const home = path.join(rig.home, `new-${used}`)
      fs.mkdirSync(home)
      const env = { HOME: home }
      assert.equal((await rig.dispatch(['setup', '--hooks', '--yes'], { env })).exitCode, 0)
      assert.ok(fs.existsSync(path.join(home, '.claude/settings.json')))
      if (used) fs.writeFileSync(path.join(home, '.claude/history'), '')
      assert.equal((await rig.dispatch(['uninstall', '--yes'], { env })).exitCode, 0)
      assert.equal(fs.existsSync(path.join(home, '.claude')), used)
    }
  })
})

describe('where it is started', () => {
  it('a repository that names its objects by SHA-256 is exit 2', async () => {
    const cwd = await repository('sha256', {}, 'sha256')
    for (const words of [['do it'], ['prepare']])
      await refused(rig.dispatch(words, { cwd }), 2, /names its objects by SHA-256[^\n]*\n.*SHA-1.*--no-repo/)
  })

  it('a folder that was deleted under us is exit 2, for every command', async () => {
    const gone = path.join(rig.home, 'gone')
    for (const words of [['do it'], ['--help'], ...commands.map(({ name }) => [name])]) {
      fs.mkdirSync(gone)
      const script = 'cd "$1" && rmdir "$1" && shift && exec /bin/sh "$@"'
      const ran = runProgram('/bin/sh', ['-c', script, 'sh', gone, entryPoint, ...words], {
        env: rig.environment,
        timeoutMs: 20_000,
      })
      await refused(ran, 2, /the folder you are in is no longer there\n/)
    }
  })

  it('a bare repository counts as none, and that is said', async () => {
    const bare = path.join(rig.home, 'elsewhere/bare.git')
    await runProgram('git', ['init', '-q', '--bare', bare])
    const ran = await rig.dispatch(['do it'], { cwd: bare, env: { PATH: installRecorder(rig) } })
    assert.equal(ran.exitCode, 0, ran.stderr)
    assert.match(ran.stdout, /in an empty repository/)
  })

  it('a .dispatch.json that hands on what git tracks, what is not there, or what lies behind a link', async () => {
    const cwd = await repository('hands-on')
    fs.mkdirSync(path.join(rig.home, 'beyond'))
    fs.writeFileSync(path.join(rig.home, 'beyond/secret'), 'x')
    fs.symlinkSync(path.join(rig.home, 'beyond'), path.join(cwd, 'linked'))
    for (const [file, words] of [
      ['readme', /hands on readme, and git tracks it, so it comes with the commit/],
      ['.env.test', /hands on \.env\.test, and .*\.env\.test is not a file/],
      ['linked/secret', /hands on linked\/secret, and linked is a link/],
    ] as const) {
      fs.writeFileSync(path.join(cwd, '.dispatch.json'), JSON.stringify({ files: [file] }))
      for (const line of [['prepare', '--yes'], ['do it']]) await refused(rig.dispatch(line, { cwd }), 2, words)
    }
  })

  it('lock files that match nothing are said, at prepare and at the start', async () => {
    const cwd = await repository('lockless')
    fs.writeFileSync(path.join(cwd, '.dispatch.json'), '{ "setup": ["true"], "lockfiles": ["package-lock.json"] }')
    const words = /names lockfiles that the commit does not have: package-lock\.json; none is left/
    const prepared = await rig.dispatch(['prepare', '--yes'], { cwd })
    assert.equal(prepared.exitCode, 0, prepared.stderr)
    assert.match(prepared.stdout, words)
    const ran = await rig.dispatch(['do it'], { cwd, env: { PATH: installRecorder(rig) } })
    assert.equal(ran.exitCode, 0, ran.stderr)
    assert.match(ran.stdout, words)
  })

  it('prepare for a folder of dispatch itself is exit 2', async () => {
    const folder = path.join(workspace(), 'x')
    await runProgram('git', ['init', '-q', '-b', 'main', folder])
    const commit = ['-c', 'user.name=u', '-c', 'user.email=u@h', 'commit', '-q', '--allow-empty', '-m', 'one']
    await runProgram('git', commit, { cwd: folder })
    await refused(rig.dispatch(['prepare', '--yes', '--repo', folder]), 2, /lies in dispatch's own folder/)
    fs.rmSync(folder, { recursive: true })
  })
})

describe('who may not', () => {
  it('F72 nothing that would write a session of a newer dispatch: exit 6, not a byte is touched', async () => {
    const { id } = writeSession('f200', { format: 2 })
    const folder = path.join(workspace(), id)
    const before = fingerprintFolder(folder)
    for (const words of [
      ['rm', '--force', id],
      ['say', id, 'hello'],
      ['apply', id, '--anyway'],
    ])
      await refused(rig.dispatch(words), 6, /was written by a newer dispatch \(format 2/)
    const approve = await runAtTerminal(`approve ${id} --no reason`)
    assert.equal(approve.code, 6, approve.seen)
    assert.deepEqual(fingerprintFolder(folder), before)
  })

  it('an agent: rm, apply, prepare, setup and uninstall are exit 5', async () => {
    const { id } = writeSession('a9e7')
    const env = { DISPATCH_SESSION: 'x' }
    for (const words of [
      ['rm', '--force', id],
      ['apply', id],
      ['prepare', '--yes'],
      ['setup', '--yes'],
      ['uninstall', '--yes'],
    ])
      await refused(
        rig.dispatch(words, { env }),
        5,
        /belongs to an agent: DISPATCH_SESSION is set/,
      )
    const cwd = await repository('of-an-agent', { 'package-lock.json': '{}' })
    const claudes = rig.dispatch(['prepare', '--yes'], { cwd, env: { CLAUDECODE: '1' } })
    await refused(claudes, 5, /only a human may run `prepare`.*CLAUDECODE is set/)
    assert.ok(!fs.existsSync(path.join(cwd, '.dispatch.json')))
  })
})

describe('what goes on although something is wrong', () => {
  it('a mistake in .env keeps nobody from looking, or from stopping: one line says where it is', async () => {
    const { id } = writeSession('e471')
    const file = path.join(rig.home, 'dispatch/.env')
    fs.writeFileSync(file, 'NTFY_TOPIC=x\nROUNDS=many\n')
    try {
      for (const words of [['ls'], ['show', id], ['logs', id], ['stop', id], ['wait', id], ['cost'], ['watch', id]]) {
        const ran = await rig.dispatch(words)
        assert.ok([0, 12].includes(ran.exitCode ?? -1), `${words}: ${ran.exitCode} ${ran.stderr}`)
        assert.match(ran.stderr, /^dispatch: .*\.env:2: ROUNDS=many: it must be [^\n]*\(here the defaults will do\)\n$/)
      }
      await refused(rig.dispatch(['do it']), 2, /\.env:2: ROUNDS=many[\s\S]*\/\.env\.example lists every setting/)
    } finally {
      fs.rmSync(file)
    }
  })

  it('a pipe or a folder in place of a session’s record: ls and the others do not wait, and say what it is', async () => {
    const broken = { b10c: 'events.jsonl', b20c: 'session.json' }
    for (const [letters, name] of Object.entries(broken)) {
      const file = path.join(workspace(), writeSession(letters).id, name)
      fs.rmSync(file)
      if (letters === 'b10c') mkfifo(file)
      else fs.mkdirSync(file)
    }
    const listed = await rig.dispatch(['ls'])
    assert.match(
      listed.stdout,
      /unreadable +\S+-b10c +events\.jsonl is a pipe[\s\S]*unreadable +\S+-b20c +session\.json is a folder/,
    )
    assert.match((await rig.dispatch(['ls', '--json'])).stdout, /"state":"unreadable"/)
    for (const name of ['show', 'logs', 'stop', 'cost', 'contract', 'wait'])
      await refused(rig.dispatch([name, 'b10c']), 13, /cannot be read: events\.jsonl is a pipe/)
    for (const name of ['cost', 'doctor', 'watchdog']) assert.doesNotMatch((await rig.dispatch([name])).stderr, /bug/)
    assert.match((await rig.dispatch(['stop', '--all'])).stdout, /skipped \S+-b10c: it cannot be read/)
    for (const letters of Object.keys(broken))
      fs.rmSync(path.join(workspace(), `2026-11-20-laid-${letters}`), { recursive: true })
  })

  it('show says what of a session is gone or changed, and what that means: exit 13; ls goes on', () =>
    withRig(helloScenario, async other => {
      assert.equal((await other.dispatch([helloTask, '--wait', '--no-repo'])).exitCode, 0)
      const { paths, id } = other.readSession()
      await other.dispatch(['stop', id])
      fs.chmodSync(paths.contract, 0o600)
      fs.appendFileSync(paths.contract, '\nmore\n')
      const changed = await other.dispatch(['show'])
      assert.equal(changed.exitCode, 13)
      assert.match(changed.stdout, /DAMAGED +contract\.md is NOT what was sealed[\s\S]*C1[\s\S]*PASS/)
      fs.rmSync(paths.contract)
      fs.rmSync(paths.bareRepository, { recursive: true })
      const gone = await other.dispatch(['show'])
      assert.equal(gone.exitCode, 13, gone.stderr)
      assert.match(gone.stdout, /contract\.md is gone[\s\S]*evidence\/trees\.git is gone or damaged.*cannot be fetched/)
      assert.doesNotMatch(gone.stdout, /git fetch/)
      assert.deepEqual(JSON.parse((await other.dispatch(['show', '--json'])).stdout).damage.length, 2)
      assert.match((await other.dispatch(['ls'])).stdout, /PASS \(void\)/)
    }))

  it('the whole id says yes as its last four letters do', async () => {
    const { id } = writeSession('1d1d')
    const asking = path.join(workspace(), id)
    fs.mkdirSync(path.join(asking, 'outputs'))
    appendEvent(
      path.join(asking, 'events.jsonl'),
      { type: 'base.prepared', commit: 'a'.repeat(40), tree: 'b'.repeat(40) } as Parameters<typeof appendEvent>[1],
      2,
      new Date(),
    )
    const no = await runAtTerminal(`rm ${id}`, '1d1\r')
    assert.equal(no.code, 5, no.seen)
    const yes = await runAtTerminal(`rm ${id}`, `${id}\r`)
    assert.equal(yes.code, 0, yes.seen)
  })

  it('Tab after `dispatch help` offers the commands, and cost adds up to a millionth of a dollar', async () => {
    const script =
      'eval "$(sh "$0" completions bash)"; COMP_WORDS=("$0" help sh); COMP_CWORD=2; _dispatch; echo "$COMPREPLY"'
    const ran = await runProgram('bash', ['--norc', '-c', script, entryPoint], { env: rig.environment })
    assert.equal(ran.stdout, 'show\n', ran.stderr)
    const { id } = writeSession('c057')
    for (const [at, costUsd] of [0.1, 0.2].entries()) {
      const worker = { worker: `w${at}`, kind: 'code', model: 'opus', clauses: ['C1'], files: [], waitsFor: null }
      for (const more of [
        { type: 'worker.queued', ...worker },
        {
          type: 'worker.ended',
          worker: `w${at}`,
          how: 'reported',
          reason: '',
          commit: null,
          files: 0,
          costUsd,
          seconds: 1,
        },
      ])
        appendEvent(
          path.join(workspace(), id, 'events.jsonl'),
          more as unknown as Parameters<typeof appendEvent>[1],
          9,
          new Date(),
        )
    }
    const { total } = JSON.parse((await rig.dispatch(['cost', '--json'])).stdout)
    assert.equal(total.usd, 0.3)
  })

  it('help and lists keep to a terminal of 80 columns', async () => {
    writeSession('8080')
    const lines = [...['', ...commands.map(({ name }) => name), '"x y"'].map(name => `${name} --help`), 'ls', 'cost']
    for (const line of lines) {
      const { seen } = await runAtTerminal(line, '', 'stty cols 80;')
      const wide = seen.split('\n').filter(text => [...text.trimEnd()].length > 80)
      assert.deepEqual(wide, [], line)
    }
  })
})

/** What the files say, whenever they were written. */
const contents = (folder: string) =>
  Object.entries(fingerprintFolder(folder)).map(([file, print]) => `${file} ${print.slice(0, 64)}`)

/** The real dispatch at a terminal, where a person types this once they are asked. */
async function runAtTerminal(words: string, types = '', first = ''): Promise<{ code: number | null; seen: string }> {
  const child = spawn('script', ['-qec', `${first} /bin/sh ${entryPoint} ${words}`, '/dev/null'], {
    env: { ...rig.environment, TERM: 'xterm' },
    cwd: path.join(rig.home, 'elsewhere'),
    timeout: 30_000,
  })
  let seen = ''
  let typed = false
  child.stdout.on('data', chunk => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told besides words
    seen = (seen + chunk).replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    if (!typed && /to continue: /.test(seen)) typed = child.stdin.write(types)
  })
  const [code] = await once(child, 'close')
  return { code, seen }
}
