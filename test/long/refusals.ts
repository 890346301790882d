/** What a command rejects before it makes anything, and what still works with a broken setting or session. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { commandTable } from '#cli/commands/index.ts'
import { type RunResult, runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { createSession, type Session } from '#session'
import { appendEvent, type EventBody } from '#session/log'
import { blankManifest } from '../fixtures/blank-manifest.ts'
import { installRecorder } from '../fixtures/recording-claude.ts'
import { entryPoint, fingerprintFolder, helloScenario, openRig, type Rig, withRig } from '../fixtures/rig.ts'
import { runInScript, type TerminalOptions } from '../fixtures/run-at-terminal.ts'
import { HANG_MS } from '../fixtures/scratch.ts'

let rig: Rig
before(async () => {
  rig = await openRig(helloScenario)
})
after(() => rig.close())

const getWorkspace = () => path.join(rig.home, 'dispatch/workspace')
const listSessionIds = () => (fs.existsSync(getWorkspace()) ? fs.readdirSync(getWorkspace()) : [])
/** Without a key in the environment, claude needs the login of the user. */
const withoutKey = { ANTHROPIC_API_KEY: '' }
const getClaudeConfig = () => path.join(rig.home, 'home/.claude.json')
const makePipe = (file: string) => assert.equal(spawnSync('mkfifo', [file]).status, 0)
const runInTerminal = (line: string, options?: TerminalOptions) => runInScript(rig, line, options)

/** A command ends with this exit code and message, and makes no session. */
async function assertRejected(running: Promise<RunResult>, expectedCode: number, message: RegExp): Promise<void> {
  const before = listSessionIds().length
  const { exitCode, stderr, stdout } = await running
  assert.equal(exitCode, expectedCode, stdout + stderr)
  assert.match(stderr, message)
  assert.doesNotMatch(stderr, /internal error/)
  assert.equal(listSessionIds().length, before, 'a session was made')
}

async function createRepository(name: string, files: Record<string, string> = {}, format = 'sha1'): Promise<string> {
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

/** Write a closed session without a runner. `more` is added to its manifest. */
function writeSession(letters: string, more: Record<string, unknown> = {}): Session {
  const id = `2026-11-20-written-${letters}`
  const task = { ...blankManifest.task, title: `the title of ${letters} `.repeat(8) }
  const session = createSession(
    path.join(rig.home, 'aside'),
    { ...blankManifest, id, task, ...more },
    Buffer.from('do it'),
  )
  appendEvent(session.paths.events, { type: 'session.closed', actor: 'you', reason: '' }, 1, new Date())
  fs.mkdirSync(getWorkspace(), { recursive: true })
  fs.renameSync(session.paths.folder, path.join(getWorkspace(), id))
  return session
}

describe('claude and the other programs', () => {
  it('a claude without a login is exit 7, and one with an account is not asked', async () => {
    fs.writeFileSync(
      getClaudeConfig(),
      JSON.stringify({ projects: { [getWorkspace()]: { hasTrustDialogAccepted: true } }, numStartups: 1 }),
    )
    await assertRejected(
      rig.dispatch(['do it'], { env: withoutKey }),
      7,
      /claude is not logged in \(.*\.claude\.json names no account\)\n {2}Run `claude`, then `\/login`/,
    )
    const doctor = await rig.dispatch(['doctor'], { env: withoutKey })
    assert.match(doctor.stdout, /FAIL +login /)
    const bin = path.join(rig.home, 'asked')
    fs.mkdirSync(bin)
    const script = '#!/bin/sh\n[ "$1" = --version ] && exec echo 2.1.329\necho "$@" >>"$0.heard"; exit 1\n'
    fs.writeFileSync(path.join(bin, 'claude'), script, { mode: 0o755 })
    const { projects } = JSON.parse(fs.readFileSync(getClaudeConfig(), 'utf8'))
    fs.writeFileSync(getClaudeConfig(), JSON.stringify({ projects, oauthAccount: { emailAddress: 'a@b' } }))
    await rig.dispatch(['do it', '--no-repo'], { env: { ...withoutKey, PATH: `${bin}:${rig.environment['PATH']}` } })
    assert.doesNotMatch(fs.readFileSync(path.join(bin, 'claude.heard'), 'utf8'), /auth status/)
  })

  it('a git or tmux that is too old is exit 6', async () => {
    for (const [name, version, message] of [
      ['git', 'git version 2.31.9', /git 2\.31\.9 is too old.*\n.*`brew install git`/],
      ['tmux', 'tmux 2.9a', /tmux 2\.9a is too old.*\n.*`brew install tmux`/],
    ] as const) {
      const bin = path.join(rig.home, `old-${name}`)
      fs.mkdirSync(bin)
      fs.writeFileSync(path.join(bin, name), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 })
      const PATH = `${bin}:${rig.environment['PATH']}`
      await assertRejected(rig.dispatch(['do it'], { env: { PATH } }), 6, message)
      assert.match((await rig.dispatch(['doctor'], { env: { PATH } })).stdout, new RegExp(`FAIL +${name} .*is too old`))
    }
  })

  it('without GEMINI_API_KEY the session runs and is INCONCLUSIVE', () =>
    withRig(
      helloScenario,
      async rig => {
        const ran = await rig.dispatch([helloTask, '--wait', '--no-repo'])
        assert.equal(ran.exitCode, 12, ran.stdout + ran.stderr)
        assert.match(
          ran.stdout,
          /GEMINI_API_KEY is not set[\s\S]*in an empty repository|in an empty repository[\s\S]*GEMINI_API_KEY is not set/,
        )
      },
      { GEMINI_API_KEY: '' },
    ))
})

describe('files of the user that are something else', () => {
  const kinds: [string, (file: string) => void][] = [
    ['a folder', file => void fs.mkdirSync(file)],
    ['a pipe', makePipe],
    [
      'a socket',
      file =>
        void spawnSync(process.execPath, [
          '-e',
          `require("net").createServer().listen(${JSON.stringify(file)},()=>process.exit())`,
        ]),
    ],
  ]
  for (const [kind, make] of kinds)
    it(`${kind} in place of .claude.json or settings.json is exit 2`, async () => {
      const settings = path.join(rig.home, 'home/.claude/settings.json')
      fs.mkdirSync(path.dirname(settings), { recursive: true })
      const message = new RegExp(`is ${kind}`)
      const account = { oauthAccount: {}, projects: { [getWorkspace()]: { hasTrustDialogAccepted: true } } }
      for (const file of [getClaudeConfig(), settings]) {
        if (file === settings) fs.writeFileSync(getClaudeConfig(), JSON.stringify(account))
        fs.rmSync(file, { recursive: true, force: true })
        make(file)
        if (!fs.existsSync(file)) continue // Node removes its socket.
        await assertRejected(rig.dispatch(['do it'], { env: withoutKey }), 2, message)
        await assertRejected(rig.dispatch(['setup', '--hooks', '--yes'], { env: withoutKey }), 2, message)
        const doctor = await rig.dispatch(['doctor'], { env: withoutKey })
        assert.equal(doctor.exitCode, 6, doctor.stderr)
        assert.match(doctor.stdout.replace(/\s+/g, ' '), new RegExp(`FAIL .*is ${kind}`))
        fs.rmSync(file, { recursive: true })
      }
    })

  it('setup writes through links, and the links stay', async () => {
    const dotfiles = path.join(rig.home, 'dotfiles')
    fs.mkdirSync(path.join(dotfiles, 'claude'), { recursive: true })
    fs.writeFileSync(path.join(dotfiles, 'settings.json'), '{ "model": "opus" }\n')
    fs.symlinkSync(path.join(dotfiles, 'settings.json'), path.join(dotfiles, 'claude/settings.json'))
    fs.mkdirSync(path.join(dotfiles, 'real'))
    fs.symlinkSync(path.join(dotfiles, 'claude'), path.join(dotfiles, 'real/.claude'))
    fs.symlinkSync(path.join(dotfiles, 'real'), path.join(dotfiles, 'home'))
    const before = readContents(dotfiles)
    const env = { ...withoutKey, HOME: path.join(dotfiles, 'home') }
    const setup = await rig.dispatch(['setup', '--hooks', '--yes'], { env })
    assert.equal(setup.exitCode, 0, setup.stderr)
    assert.match(fs.readFileSync(path.join(dotfiles, 'settings.json'), 'utf8'), /hooks\/external/)
    assert.match(fs.readFileSync(path.join(dotfiles, 'real/.claude.json'), 'utf8'), /hasTrustDialogAccepted/)
    for (const link of ['home', 'real/.claude', 'claude/settings.json'])
      assert.ok(fs.lstatSync(path.join(dotfiles, link)).isSymbolicLink(), link)
    assert.equal((await rig.dispatch(['uninstall', '--yes'], { env })).exitCode, 0)
    assert.deepEqual(readContents(dotfiles), before)
  })

  it('an invalid settings.json is exit 2 with line and column, and unchanged', async () => {
    const file = path.join(rig.home, 'home/.claude/settings.json')
    for (const [text, message] of [
      ['{\n  "hooks": {,}\n}', /settings\.json:2:\d+: /],
      ['[1]', /settings\.json:1:1: /],
      ['{\n "hooks": []\n}', /settings\.json:2:\d+: "hooks"/],
    ] as const) {
      fs.writeFileSync(file, text)
      await assertRejected(rig.dispatch(['setup', '--hooks', '--yes']), 2, message)
      assert.equal(fs.readFileSync(file, 'utf8'), text)
    }
    fs.rmSync(file)
  })

  it('uninstall removes a ~/.claude that setup made, unless it is used', async () => {
    for (const isUsed of [false, true]) {
      const home = path.join(rig.home, `new-${isUsed}`)
      fs.mkdirSync(home)
      const env = { HOME: home }
      assert.equal((await rig.dispatch(['setup', '--hooks', '--yes'], { env })).exitCode, 0)
      assert.ok(fs.existsSync(path.join(home, '.claude/settings.json')))
      if (isUsed) fs.writeFileSync(path.join(home, '.claude/history'), '')
      assert.equal((await rig.dispatch(['uninstall', '--yes'], { env })).exitCode, 0)
      assert.equal(fs.existsSync(path.join(home, '.claude')), isUsed)
    }
  })
})

describe('the folder of a start', () => {
  it('a repository with SHA-256 objects is exit 2', async () => {
    const cwd = await createRepository('sha256', {}, 'sha256')
    await assertRejected(rig.dispatch(['do it'], { cwd }), 2, /SHA-256[^\n]*\n.*--no-repo/)
    // It has no such option.
    await assertRejected(rig.dispatch(['prepare'], { cwd }), 2, /SHA-256[^\n]*\n(?!.*--no-repo)/)
  })

  it('a deleted current folder is exit 2, for every command', async () => {
    const folder = path.join(rig.home, 'gone')
    for (const args of [['do it'], ['--help'], ...commandTable.commands.map(({ name }) => [name])]) {
      fs.mkdirSync(folder)
      const script = 'cd "$1" && rmdir "$1" && shift && exec /bin/sh "$@"'
      const running = runProgram('/bin/sh', ['-c', script, 'sh', folder, entryPoint, ...args], {
        env: rig.environment,
        timeoutMs: HANG_MS,
      })
      await assertRejected(running, 2, /current folder no longer exists\n/)
    }
  })

  it('a bare repository is exit 2, with its work trees or the advice to clone it', async () => {
    const bare = path.join(rig.home, 'elsewhere/bare.git')
    await runProgram('git', ['init', '-q', '--bare', bare])
    await assertRejected(
      rig.dispatch(['do it'], { cwd: bare }),
      2,
      /no files of it are checked out here\n.*Clone it.*--no-repo/,
    )
  })

  it('a .dispatch.json with unusable files is exit 2', async () => {
    const cwd = await createRepository('ignored-files')
    fs.mkdirSync(path.join(rig.home, 'beyond'))
    fs.writeFileSync(path.join(rig.home, 'beyond/secret'), 'x')
    fs.symlinkSync(path.join(rig.home, 'beyond'), path.join(cwd, 'linked'))
    for (const [file, message] of [
      ['readme', /readme/],
      ['.env.test', /\.env\.test/],
      ['linked/secret', /linked/],
    ] as const) {
      fs.writeFileSync(path.join(cwd, '.dispatch.json'), JSON.stringify({ files: [file] }))
      for (const args of [['prepare', '--yes'], ['do it']])
        await assertRejected(rig.dispatch(args, { cwd }), 2, message)
    }
  })

  it('prepare and a start warn about lockfiles that do not exist', async () => {
    const cwd = await createRepository('lockless')
    fs.writeFileSync(path.join(cwd, '.dispatch.json'), '{ "setup": ["true"], "lockfiles": ["package-lock.json"] }')
    const message = /lockfiles.*package-lock\.json/
    const prepared = await rig.dispatch(['prepare', '--yes'], { cwd })
    assert.equal(prepared.exitCode, 0, prepared.stderr)
    assert.match(prepared.stdout, message)
    const ran = await rig.dispatch(['do it'], { cwd, env: { PATH: installRecorder(rig) } })
    assert.equal(ran.exitCode, 0, ran.stderr)
    assert.match(ran.stdout, message)
  })

  it('prepare in dispatch’s own folder is exit 2', async () => {
    const folder = path.join(getWorkspace(), 'x')
    await runProgram('git', ['init', '-q', '-b', 'main', folder])
    const commit = ['-c', 'user.name=u', '-c', 'user.email=u@h', 'commit', '-q', '--allow-empty', '-m', 'one']
    await runProgram('git', commit, { cwd: folder })
    await assertRejected(rig.dispatch(['prepare', '--yes', '--repo', folder]), 2, /DISPATCH_HOME/)
    fs.rmSync(folder, { recursive: true })
  })
})

describe('callers that may not', () => {
  it('writing a session of a newer dispatch is exit 6', async () => {
    const { id } = writeSession('f200', { format: 2 })
    const folder = path.join(getWorkspace(), id)
    const before = fingerprintFolder(folder)
    for (const args of [
      ['rm', '--force', id],
      ['say', id, 'hello'],
      ['apply', id, '--anyway'],
    ])
      await assertRejected(rig.dispatch(args), 6, /newer dispatch \(format 2/)
    const approve = await runInTerminal(`approve ${id} --no reason`)
    assert.equal(approve.code, 6, approve.shown)
    assert.deepEqual(fingerprintFolder(folder), before)
  })

  it('an agent may not run rm, apply, prepare, setup and uninstall: exit 5', async () => {
    const { id } = writeSession('a9e7')
    const env = { DISPATCH_SESSION: 'x' }
    for (const args of [
      ['rm', '--force', id],
      ['apply', id],
      ['prepare', '--yes'],
      ['setup', '--yes'],
      ['uninstall', '--yes'],
    ])
      await assertRejected(rig.dispatch(args, { env }), 5, /belongs to an agent: DISPATCH_SESSION is set/)
    const cwd = await createRepository('of-an-agent', { 'package-lock.json': '{}' })
    const byClaude = rig.dispatch(['prepare', '--yes'], { cwd, env: { CLAUDECODE: '1' } })
    await assertRejected(byClaude, 5, /only a person may run `prepare`.*CLAUDECODE is set/)
    assert.ok(!fs.existsSync(path.join(cwd, '.dispatch.json')))
  })
})

describe('what still works', () => {
  it('commands that only read or stop go on with an invalid .env', async () => {
    const { id } = writeSession('e471')
    const file = path.join(rig.home, 'dispatch/.env')
    fs.writeFileSync(file, '# mine\nROUNDS=many\n')
    try {
      for (const args of [['ls'], ['show', id], ['logs', id], ['stop', id], ['wait', id], ['cost'], ['watch', id]]) {
        const ran = await rig.dispatch(args)
        assert.ok([0, 12].includes(ran.exitCode ?? -1), `${args}: ${ran.exitCode} ${ran.stderr}`)
        assert.match(ran.stderr, /^dispatch: .*\.env:2: ROUNDS=many[^\n]*\n {2}This command uses the defaults\.\n$/)
      }
      await assertRejected(
        rig.dispatch(['do it']),
        2,
        /\.env:2: ROUNDS=many[\s\S]*\/\.env\.example lists every setting/,
      )
    } finally {
      fs.rmSync(file)
    }
  })

  it('ls reports a pipe or a folder in place of a session’s record', async () => {
    const brokenFiles = { b10c: 'events.jsonl', b20c: 'session.json' }
    for (const [letters, name] of Object.entries(brokenFiles)) {
      const file = path.join(getWorkspace(), writeSession(letters).id, name)
      fs.rmSync(file)
      if (letters === 'b10c') makePipe(file)
      else fs.mkdirSync(file)
    }
    const listed = await rig.dispatch(['ls'])
    assert.match(
      listed.stdout,
      /unreadable +\S+-b10c +events\.jsonl is a pipe[\s\S]*unreadable +\S+-b20c +session\.json is a folder/,
    )
    assert.match((await rig.dispatch(['ls', '--json'])).stdout, /"state":"unreadable"/)
    for (const name of ['show', 'logs', 'stop', 'cost', 'contract', 'wait'])
      await assertRejected(rig.dispatch([name, 'b10c']), 13, /cannot be read: events\.jsonl is a pipe/)
    for (const name of ['cost', 'doctor', 'watchdog'])
      assert.doesNotMatch((await rig.dispatch([name])).stderr, /internal error/)
    assert.match((await rig.dispatch(['stop', '--all'])).stdout, /skipped \S+-b10c: it cannot be read/)
    for (const letters of Object.keys(brokenFiles))
      fs.rmSync(path.join(getWorkspace(), `2026-11-20-written-${letters}`), { recursive: true })
  })

  it('show reports a damaged record and is exit 13; ls goes on', () =>
    withRig(helloScenario, async rig => {
      assert.equal((await rig.dispatch([helloTask, '--wait', '--no-repo'])).exitCode, 0)
      const { paths, id } = rig.readSession()
      await rig.dispatch(['stop', id])
      fs.chmodSync(paths.contract, 0o600)
      fs.appendFileSync(paths.contract, '\nmore\n')
      const changed = await rig.dispatch(['show'])
      assert.equal(changed.exitCode, 13)
      assert.match(changed.stdout, /DAMAGED +contract\.md was modified[\s\S]*C1[\s\S]*PASS/)
      fs.rmSync(paths.contract)
      fs.rmSync(paths.bareRepository, { recursive: true })
      const gone = await rig.dispatch(['show'])
      assert.equal(gone.exitCode, 13, gone.stderr)
      assert.match(gone.stdout, /contract\.md is missing[\s\S]*evidence\/repository\.git is missing or damaged/)
      assert.doesNotMatch(gone.stdout, /git fetch/)
      assert.deepEqual(JSON.parse((await rig.dispatch(['show', '--json'])).stdout).damage.length, 2)
      assert.match((await rig.dispatch(['ls'])).stdout, /PASS \(void\)/)
    }))

  it('the prompt accepts the whole id too', async () => {
    const { id } = writeSession('1d1d')
    const folder = path.join(getWorkspace(), id)
    fs.mkdirSync(path.join(folder, 'outputs'))
    const event: EventBody = { type: 'base.prepared', commit: 'a'.repeat(40), tree: 'b'.repeat(40) }
    appendEvent(path.join(folder, 'events.jsonl'), event, 2, new Date())
    const wrong = await runInTerminal(`rm ${id}`, { answer: '1d1\r' })
    assert.equal(wrong.code, 5, wrong.shown)
    const right = await runInTerminal(`rm ${id}`, { answer: `${id}\r` })
    assert.equal(right.code, 0, right.shown)
  })

  it('Tab after `dispatch help` offers the commands', async () => {
    const script =
      'eval "$(sh "$0" completions bash)"; COMP_WORDS=("$0" help sh); COMP_CWORD=2; _dispatch; echo "$COMPREPLY"'
    const ran = await runProgram('bash', ['--norc', '-c', script, entryPoint], { env: rig.environment })
    assert.equal(ran.stdout, 'show\n', ran.stderr)
  })

  it('cost adds up without rounding errors', async () => {
    const { id } = writeSession('c057')
    for (const [index, costUsd] of [0.1, 0.2].entries()) {
      const worker = `w${index}`
      const events: EventBody[] = [
        { type: 'worker.queued', worker, kind: 'code', model: 'opus', clauses: ['C1'], files: [], blockedBy: null },
        {
          type: 'worker.ended',
          worker,
          ending: 'reported',
          reason: '',
          commit: null,
          changedFiles: 0,
          costUsd,
          seconds: 1,
        },
      ]
      for (const event of events) appendEvent(path.join(getWorkspace(), id, 'events.jsonl'), event, 9, new Date())
    }
    const { total } = JSON.parse((await rig.dispatch(['cost', '--json'])).stdout)
    assert.equal(total.usd, 0.3)
  })

  it('help and lists fit a terminal of 80 columns', async () => {
    writeSession('8080')
    const lines = [
      ...['', ...commandTable.commands.map(({ name }) => name), '"x y"'].map(name => `${name} --help`),
      'ls',
      'cost',
    ]
    for (const line of lines) {
      const { shown } = await runInTerminal(line, { before: 'stty cols 80;' })
      const wide = shown.split('\n').filter(text => [...text.trimEnd()].length > 80)
      assert.deepEqual(wide, [], line)
    }
  })
})

/** The hash of each file, without the times. */
const readContents = (folder: string) =>
  Object.entries(fingerprintFolder(folder)).map(([file, fingerprint]) => `${file} ${fingerprint.slice(0, 64)}`)
