/** Faults at the doors, each with its number: what a person is told, and with which exit code. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { type RunResult, runProgram } from '#host/exec.ts'
import { openTmux } from '#host/tmux'
import { helloTask } from '#rehearsal/hello.ts'
import { createSession, type SessionManifest } from '#session'
import { copyInstall } from '../fixtures/copy.ts'
import { installRecorder } from '../fixtures/recorder.ts'
import { entryPoint, fingerprintFolder, helloScenario, idleScenario, type Rig, withRig } from '../fixtures/rig.ts'

/** Start a session whose claude is the recorder. */
function start(rig: Rig, words: string[], env: Record<string, string> = {}, cwd?: string): Promise<RunResult> {
  return rig.dispatch(words, { env: { PATH: installRecorder(rig), ...env }, ...(cwd === undefined ? {} : { cwd }) })
}

/** A folder that holds these programs and no others. */
function pathOf(folder: string, programs: string[]): string {
  fs.mkdirSync(folder, { recursive: true })
  for (const name of programs) {
    const found = ['/usr/bin', '/bin'].map(place => path.join(place, name)).find(file => fs.existsSync(file))
    if (found) fs.symlinkSync(found, path.join(folder, name))
  }
  return folder
}

function program(folder: string, name: string, content: string | Uint8Array, mode = 0o755): string {
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, name), content, { mode })
  return folder
}

function sessionsIn(rig: Rig): string[] {
  const workspace = path.join(rig.home, 'dispatch/workspace')
  return fs.existsSync(workspace) ? fs.readdirSync(workspace) : []
}

describe('claude and the other programs', { concurrency: 2 }, () => {
  it('F41 without a key a start warns before it spends, and the session runs', () =>
    withRig(
      idleScenario,
      async rig => {
        const ran = await start(rig, ['do it'])
        assert.equal(ran.exitCode, 0, ran.stderr)
        assert.match(
          ran.stdout,
          /GEMINI_API_KEY is not set: the checks will be run, but without a judge no verdict can be PASS/,
        )
      },
      { GEMINI_API_KEY: '' },
    ))

  it('F42 claude missing, not executable, of another processor, broken or too old: exit 6 within a second, no session', () =>
    withRig(idleScenario, async rig => {
      const bare = copyInstall(path.join(rig.home, 'bare'), ['.bin', '@anthropic-ai'])
      const tools = pathOf(path.join(rig.home, 'tools'), ['sh', 'git', 'tmux', 'readlink', 'cat'])
      const elf = Buffer.alloc(64)
      elf.writeUInt32BE(0x7f454c46, 0)
      elf.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18)
      const at = (name: string, content: string | Uint8Array, mode?: number) =>
        program(path.join(rig.home, name), 'claude', content, mode)
      const cases: [string, RegExp][] = [
        [
          '/nowhere',
          /claude is not installed, or not on PATH\n {2}Install it: `npm install -g @anthropic-ai\/claude-code`/,
        ],
        [at('inert', '#!/bin/sh\n', 0o644), /inert\/claude is not executable\n {2}`chmod \+x/],
        [at('foreign', elf), /built for Linux on (arm64|x64), and this is Linux on/],
        [at('broken', '#!/bin/sh\necho no good >&2; exit 3\n'), /broken\/claude ended with exit 3: no good/],
        [
          at('old', '#!/bin/sh\necho 2.1.117\n'),
          /claude 2\.1\.117 is too old, 2\.1\.118 is needed: a deep link could run a SessionStart hook/,
        ],
        [at('older', '#!/bin/sh\necho 1.0.99\n'), /too old/],
      ]
      for (const [place, words] of cases) {
        const env = { ...rig.environment, PATH: `${place}:${tools}`, NODE_COMPILE_CACHE: '' }
        const ran = await runProgram('/bin/sh', [bare, 'do it'], { env, cwd: rig.home })
        assert.equal(ran.exitCode, 6, ran.stdout + ran.stderr)
        assert.match(ran.stderr, words)
        assert.ok(ran.milliseconds < 10_000, `${ran.milliseconds} ms`) // A second alone; two cores are shared here.
      }
      assert.deepEqual(sessionsIn(rig), [])
    }))

  it('F43 claude that is not logged in is exit 7 at the start, once, and names the way', () =>
    withRig(
      idleScenario,
      async rig => {
        const script =
          '#!/bin/sh\n[ "$1" = --version ] && exec echo 2.1.329\necho "Not logged in · Please run /login"; sleep 600\n'
        const bin = program(path.join(rig.home, 'out'), 'claude', script)
        const ran = await rig.dispatch(['do it'], { env: { PATH: `${bin}:${rig.environment['PATH']}` } })
        assert.equal(ran.exitCode, 7, ran.stderr)
        assert.match(ran.stderr, /claude is not logged in/)
        assert.equal(rig.readEvents().filter(event => event.type === 'start.failed').length, 1)
      },
      { START_TIMEOUT_SEC: '6' },
    ))

  it('F62 the door under an old node says in its first line what is needed and found, exit 6', () =>
    withRig(idleScenario, async rig => {
      const bin = path.join(rig.home, 'old/bin')
      fs.mkdirSync(bin, { recursive: true })
      fs.copyFileSync(entryPoint, path.join(bin, 'dispatch'))
      const fake = program(
        path.join(rig.home, 'fake'),
        'node',
        '#!/bin/sh\n[ "$1" = --version ] && echo v22.0.0\n[ "$1" = --version ]\n',
      )
      const system = ['/usr/bin/node', '/usr/local/bin/node'].find(file => fs.existsSync(file))
      const found = system ? (await runProgram(system, ['--version'])).stdout.trim() : 'v26'
      const cases: [string, string][] = [
        [fake, 'v22\\.0\\.0'],
        ['/nowhere', 'none'],
      ]
      if (system && Number(found.slice(1, 3)) < 22) cases.push([path.dirname(system), found.replaceAll('.', '\\.')])
      for (const [PATH, version] of cases) {
        const ran = await runProgram('/bin/sh', [path.join(bin, 'dispatch'), 'ls'], {
          env: { ...rig.environment, PATH },
        })
        assert.equal(ran.exitCode, 6, ran.stderr)
        assert.match(
          ran.stderr.split('\n')[0] ?? '',
          new RegExp(`^dispatch needs Node 22\\.22 or newer; found ${version}\\.`),
        )
      }
      const [, test = ''] = /-e '([^']+)'/.exec(fs.readFileSync(entryPoint, 'utf8')) ?? []
      const takes = (node: string) => {
        let code: number | undefined
        new Function('process', test)({ versions: { node }, exit: (given: number) => (code = given) })
        return code === 0
      }
      const versions = ['20.20.2', '21.9.0', '22.0.0', '22.21.1', '22.22.0', '23.0.0', '24.21.0', '26.1.0']
      assert.deepEqual(versions.map(takes), [false, false, false, false, true, true, true, true])
    }))

  it('F63 without tmux or git: exit 6 with the line that installs it, no session; jq is never needed', () =>
    withRig(idleScenario, async rig => {
      installRecorder(rig)
      for (const missing of ['tmux', 'git']) {
        const tools = ['sh', 'cat', 'git', 'tmux', 'readlink'].filter(name => name !== missing)
        const PATH = `${path.join(rig.home, 'recorder')}:${pathOf(path.join(rig.home, `no-${missing}`), tools)}`
        const ran = await rig.dispatch(['do it'], { env: { PATH } })
        assert.equal(ran.exitCode, 6, ran.stderr)
        assert.match(
          ran.stderr,
          new RegExp(`${missing} is not installed, or not on PATH\\n {2}Install it: \`(brew|xcode-select)`),
        )
        const doctor = await rig.dispatch(['doctor'], { env: { PATH } })
        assert.equal(doctor.exitCode, 6)
        assert.match(doctor.stdout, new RegExp(`BAD +${missing} +it is not on PATH\\n +→ .*install ${missing}`))
      }
      assert.deepEqual(sessionsIn(rig), [])
    }))
})

describe('two at once', { concurrency: 2 }, () => {
  // 200 whole sessions would be 400 processes on two cores: the claim is what is contended, so a tmux that refuses ends
  // each of forty doors right behind it.
  const crowd = Number(process.env['F50_STARTS'] ?? 40)

  it(`F50 ${crowd} dispatches of one task at once are as many sessions, each whole, and no scratch is left`, () =>
    withRig(idleScenario, async rig => {
      const bin = program(
        path.join(rig.home, 'refusing'),
        'tmux',
        '#!/bin/sh\n[ "$1" = -V ] && exec echo tmux 3.3a\necho refused >&2\nexit 1\n',
      )
      const env = { PATH: `${bin}:${installRecorder(rig)}` }
      const ran = await Promise.all(Array.from({ length: crowd }, () => rig.dispatch(['the same task'], { env })))
      assert.deepEqual(new Set(ran.map(({ exitCode }) => exitCode)), new Set([6]), ran[0]?.stderr ?? '')
      assert.equal(sessionsIn(rig).length, crowd)
      for (const id of sessionsIn(rig)) {
        const { paths, manifest } = rig.readSession(id)
        assert.equal(manifest.id, id)
        assert.equal(fs.readFileSync(paths.task, 'utf8'), 'the same task')
        assert.ok(fs.readFileSync(paths.systemPrompt, 'utf8').includes(id))
      }
      const left = fs
        .readdirSync(path.join(rig.home, 'dispatch'), { recursive: true })
        .filter(name => String(name).includes('.tmp-'))
      assert.deepEqual(left, [])
    }))

  it('F51 an id that is taken is exit 5, and the first is untouched', () =>
    withRig(idleScenario, async rig => {
      const workspace = path.join(rig.home, 'dispatch/workspace')
      const opening = { ...blank, id: '2026-11-20-the-same-a3f9' }
      createSession(workspace, opening, Buffer.from('first'))
      const before = fingerprintFolder(workspace)
      assert.throws(() => createSession(workspace, opening, Buffer.from('second')), { exitCode: 5 })
      assert.deepEqual(fingerprintFolder(workspace), before)
    }))

  it('F52 a second runner of a session is exit 5 and names the first; nothing is written', () =>
    withRig(idleScenario, async rig => {
      assert.equal((await start(rig, ['do it'])).exitCode, 0)
      const { id } = rig.readSession()
      const [runner] = rig.listRunners()
      await new Promise(resolve => setTimeout(resolve, 500))
      const before = rig.readEvents().length
      const ran = await runProgram(process.execPath, [path.join(path.dirname(entryPoint), 'processes/runner.ts'), id], {
        env: rig.environment,
      })
      assert.equal(ran.exitCode, 5, ran.stderr)
      assert.match(ran.stderr, new RegExp(`has a runner already: process ${runner?.pid}\\n`))
      assert.equal(rig.readEvents().filter(({ type }) => type === 'runner.started').length, 1)
      assert.ok(rig.readEvents().length - before <= 2)
    }))
})

describe('where it is started', { concurrency: 2 }, () => {
  it('F59 in a plain C locale, without TERM, without HOME it works', () =>
    withRig(idleScenario, async rig => {
      const words = 'schön 👩‍👩‍👧 日本語'
      for (const env of [{ LC_ALL: 'C', LANG: '' }, { TERM: '' }, { HOME: '' }]) {
        const own = Object.fromEntries(
          Object.entries({ ...rig.environment, ...env }).filter(([, value]) => value !== ''),
        )
        const ran = await runProgram('/bin/sh', [entryPoint, words], {
          env: { ...own, PATH: installRecorder(rig) },
          cwd: path.join(rig.home, 'elsewhere'),
        })
        assert.equal(ran.exitCode, 0, `${JSON.stringify(env)}: ${ran.stderr}`)
        assert.equal(fs.readFileSync(rig.readSession().paths.task, 'utf8'), words)
        await rig.dispatch(['stop', rig.readSession().id])
      }
    }))

  it('F59 a home that cannot be written is exit 2 and names the variable', () =>
    withRig(idleScenario, async rig => {
      for (const [env, words] of [
        [
          { DISPATCH_HOME: '', HOME: '/dev/null' },
          /HOME leads to \/dev\/null\/\.claude-dispatch, and user \d+ cannot write there/,
        ],
        [{ DISPATCH_HOME: '/sys/nowhere' }, /DISPATCH_HOME leads to \/sys\/nowhere, and user \d+ cannot write there/],
        [{ DISPATCH_HOME: 'relative' }, /DISPATCH_HOME must be an absolute path/],
      ] as const) {
        const ran = await start(rig, ['do it'], env)
        assert.equal(ran.exitCode, 2, ran.stderr)
        assert.match(ran.stderr, words)
        assert.doesNotMatch(ran.stderr, /bug of ours/)
      }
      assert.deepEqual(fs.readdirSync(path.join(rig.home, 'elsewhere')), [])
    }))

  it('F60 the whole way, in paths with blanks, quotes, percent signs, hashes and accents of both kinds', () =>
    withRig(helloScenario, async rig => {
      const odd = path.join(rig.home, 'a \'b\' "c" %41 #d $HOME ü u\u0308 日本')
      fs.mkdirSync(odd)
      const own = copyInstall(path.join(odd, 'install'))
      const env = { ...rig.environment, DISPATCH_HOME: path.join(odd, 'home'), NODE_COMPILE_CACHE: '' }
      const cwd = path.join(odd, 'repository')
      fs.mkdirSync(cwd)
      await runProgram(
        '/bin/sh',
        ['-c', 'git init -q && git -c user.name=x -c user.email=x@y commit -q --allow-empty -m first'],
        { cwd },
      )
      try {
        const ran = await runProgram('/bin/sh', [own, helloTask, '--wait', '--json'], { env, cwd, timeoutMs: 100_000 })
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.equal(JSON.parse(ran.stdout).state, 'PASS')
        for (const words of [['ls'], ['show'], ['wait'], ['doctor']]) {
          const said = await runProgram('/bin/sh', [own, ...words], { env, cwd, timeoutMs: 60_000 })
          assert.equal(said.exitCode, 0, `${words}: ${said.stdout}${said.stderr}`)
        }
      } finally {
        await runProgram('/bin/sh', [own, 'stop', '--all'], { env, timeoutMs: 60_000 })
      }
    }))

  it('F60 a line break in DISPATCH_HOME is refused, and nothing is made', () =>
    withRig(idleScenario, async rig => {
      const ran = await start(rig, ['do it'], { DISPATCH_HOME: path.join(rig.home, 'a\nb'), NODE_COMPILE_CACHE: '' })
      assert.equal(ran.exitCode, 2)
      assert.match(ran.stderr, /DISPATCH_HOME must be an absolute path without line breaks/)
      assert.deepEqual(
        fs.readdirSync(rig.home).filter(name => name.startsWith('a')),
        [],
      )
    }))
})

it('F66 a .env that no longer reads: the runner keeps the old settings and says so once; the next command says where', () =>
  withRig(idleScenario, async rig => {
    assert.equal((await start(rig, ['do it'])).exitCode, 0)
    const { id, paths } = rig.readSession()
    const waiting = rig.dispatch(['wait'])
    await new Promise(resolve => setTimeout(resolve, 1000))
    fs.writeFileSync(path.join(rig.home, 'dispatch/.env'), '\nROUNDS=many\nnonsense\n')
    const { socket } = openTmux(path.join(rig.home, 'dispatch'))
    const screen = async () =>
      (await runProgram('tmux', ['-L', socket, 'capture-pane', '-p', '-J', '-t', `=dispatch-${id}:=runner`])).stdout
    for (let tries = 0; tries < 100 && !(await screen()).includes('stay in force'); tries++)
      await new Promise(resolve => setTimeout(resolve, 100))
    await new Promise(resolve => setTimeout(resolve, 5500)) // Longer than whoever waits takes to look after the runner.
    const shown = await screen()
    assert.equal(shown.match(/stay in force/g)?.length, 1, shown)
    assert.match(shown, /\.env:2: ROUNDS=many/)
    const ran = await rig.dispatch(['ls'])
    assert.equal(ran.exitCode, 0)
    assert.match(
      ran.stderr,
      /\.env:2: ROUNDS=many: it must be a whole number from 1 to 20\n.*\.env:3: this line is no setting/,
    )
    fs.rmSync(path.join(rig.home, 'dispatch/.env'))
    assert.match((await rig.dispatch(['ls'])).stdout, /planning/)
    fs.writeFileSync(paths.stopRequest, 'the test is over')
    const waited = await waiting
    assert.equal(waited.exitCode, 12, waited.stderr)
  }))

it('F67 what a copy of the repository lacks is said, what cannot be copied is refused, and the checkout is never changed', () =>
  withRig(idleScenario, async rig => {
    const top = path.join(rig.home, 'elsewhere/mine')
    fs.mkdirSync(top)
    const env = { ...rig.environment, GIT_CONFIG_GLOBAL: '/dev/null' }
    const sh = async (script: string) => {
      const ran = await runProgram('/bin/sh', ['-ec', script], { cwd: top, env })
      assert.equal(ran.exitCode, 0, ran.stderr)
    }
    await sh('git init -q -b main; git config user.name me; git config user.email me@x')
    const none = await start(rig, ['do it'], {}, top)
    assert.equal(none.exitCode, 2, none.stderr)
    assert.match(none.stderr, /has no commit yet\n {2}Commit something first, or use --no-repo/)
    await sh(`
      echo '*.bin filter=lfs' >.gitattributes; echo 'version https://git-lfs.github.com/spec/v1' >big.bin
      echo one >readme; blob=$(git hash-object -w readme); git add .
      git update-index --add --cacheinfo 160000,$(printf '%040d' 1),vendor/part
      git update-index --add --cacheinfo 100644,$blob,Readme
      git commit -q -m first; git checkout -q --detach
      echo two >>readme; echo new >new; : >.git/index.lock`)
    const before = fingerprintFolder(top)
    const ran = await start(rig, ['do it'], {}, top)
    assert.equal(ran.exitCode, 0, ran.stderr)
    for (const words of [
      /without \d+ uncommitted files?/,
      /no branch is checked out \(detached HEAD\)/,
      /1 submodule left empty: vendor\/part/,
      /Readme and readme are one file where case does not count/,
      /1 file of Git LFS: agents and checks see the pointers/,
      /an index\.lock lies in \.git: .* it is left alone/,
    ])
      assert.match(ran.stdout, words)
    assert.deepEqual(fingerprintFolder(top), before, 'the checkout was changed')
    assert.equal(fs.readFileSync(path.join(rig.readSession().paths.outputs, 'readme'), 'utf8'), 'one\n')
  }))

it('F72 a session that a newer dispatch wrote is shown, and every command that would write it is exit 6', () =>
  withRig(idleScenario, async rig => {
    const workspace = path.join(rig.home, 'dispatch/workspace')
    const { paths, id } = createSession(
      workspace,
      { ...blank, id: '2026-11-20-from-the-future-a3f9' },
      Buffer.from('do it'),
    )
    fs.writeFileSync(
      paths.manifest,
      JSON.stringify({ ...blank, id, format: 2, rounds: { at: 'most', of: 3 }, more: true }),
    )
    fs.writeFileSync(
      paths.events,
      '\n{"seq":1,"at":"2026-11-20T00:00:00.000Z","is":"session.opened","format":2}\n{"seq":2,"at":"2026-11-20T00:00:01.000Z","is":"galaxy.explored"}\n',
    )
    const before = fingerprintFolder(workspace)
    assert.match((await rig.dispatch(['ls'])).stdout, /from-the-future-a3f9.*format 2: read only/)
    const shown = await rig.dispatch(['show', 'a3f9'])
    assert.equal(shown.exitCode, 0, shown.stderr)
    assert.match(shown.stdout, /written by a newer dispatch \(format 2\): read only/)
    const stopped = await rig.dispatch(['stop', 'a3f9'])
    assert.equal(stopped.exitCode, 6)
    assert.match(
      stopped.stderr,
      /was written by a newer dispatch \(format 2; this one writes 1\)\n {2}Use that newer dispatch, or update/,
    )
    assert.match((await rig.dispatch(['stop', '--all'])).stdout, /skipped .*a newer dispatch wrote it/)
    const runner = await runProgram(
      process.execPath,
      [path.join(path.dirname(entryPoint), 'processes/runner.ts'), id],
      {
        env: rig.environment,
      },
    )
    assert.equal(runner.exitCode, 6, runner.stderr)
    assert.equal((await rig.dispatch(['watchdog'])).stdout, '')
    assert.match((await rig.dispatch(['doctor'])).stdout, /was written by a newer\s+dispatch \(format 2\)/)
    assert.deepEqual(fingerprintFolder(workspace), before)
  }))

const blank: SessionManifest = {
  format: 1,
  id: '',
  openedAt: '2026-11-20T00:00:00.000Z',
  task: { bytes: 5, sha256: createHash('sha256').update('do it').digest('hex'), title: 'do it' },
  repository: null,
  models: { orchestrator: 'opus', code: 'opus', rw: 'sonnet', judge: 'gemini' },
  maxRounds: 3,
  allowsJudgedOnly: false,
  requiresApproval: false,
  project: null,
  instructions: { files: [], nested: [], ignored: [] },
  sandbox: { kind: null, reason: '' },
  allowedHosts: [],
  loginKind: 'own',
  deadline: null,
  claude: { program: '/nowhere/claude', sessionId: '00000000-0000-4000-8000-000000000000', configDirectory: null },
}

// --- F74 ---

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'
const codes: Record<Signal, number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

/** Run a command through the door in a shell that sends it a signal after a while and tells its exit code. */
function signalled(
  rig: Rig,
  words: string[],
  { signal, after }: { signal: Signal; after: number },
): Promise<RunResult> {
  const script = 'trap "" INT; sh "$@" & sleep "$after"; kill -s "$signal" $!; wait $!; exit $?'
  return runProgram('/bin/sh', ['-c', script, 'sh', entryPoint, ...words], {
    env: { ...rig.environment, PATH: installRecorder(rig), signal: signal.slice(3), after: String(after) },
    cwd: path.join(rig.home, 'elsewhere'),
    timeoutMs: 60_000,
  })
}

describe('F74 a signal or a closed pipe ends a command at once, quietly, and leaves a legal state', {
  concurrency: 2,
}, () => {
  it('commands that stay: each signal, its code', () =>
    withRig(idleScenario, async rig => {
      assert.equal((await start(rig, ['do it'])).exitCode, 0)
      for (const words of [['watch'], ['wait'], ['watchdog', '--watch']])
        for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
          const ran = await signalled(rig, words, { signal, after: 1.5 })
          assert.equal(ran.exitCode, codes[signal], `${words} ${signal}: ${ran.stderr}`)
          assert.doesNotMatch(ran.stderr, /bug of ours|\.ts:/)
        }
      const leaving = await runProgram(
        '/usr/bin/env',
        ['timeout', '-s', 'INT', '2', process.execPath, path.join(path.dirname(entryPoint), 'dispatch.ts'), 'watch'],
        { env: rig.environment },
      )
      assert.ok(leaving.exitCode === 124 || leaving.exitCode === 130, `${leaving.exitCode}`)
      assert.equal(rig.readStatus().phase, 'planning')
    }))

  it('a start that is interrupted at any moment leaves no session, or one that is listed and can be stopped', () =>
    withRig(idleScenario, async rig => {
      for (const after of [0.05, 0.2, 0.4, 0.6, 1]) {
        const ran = await signalled(rig, ['do it'], { signal: 'SIGTERM', after })
        assert.ok(ran.exitCode === 143 || ran.exitCode === 0, `${after}: ${ran.exitCode} ${ran.stderr}`)
        assert.doesNotMatch(ran.stderr, /bug of ours/)
        const listed = await rig.dispatch(['ls', '--json'])
        assert.equal(listed.exitCode, 0, listed.stderr)
      }
      assert.equal((await rig.dispatch(['stop', '--all'])).exitCode, 0)
    }))

  it('a reader that goes away is no failure, whatever the command prints', () =>
    withRig(idleScenario, async rig => {
      assert.equal((await start(rig, ['do it'])).exitCode, 0)
      for (const words of [
        ['ls'],
        ['show'],
        ['watch'],
        ['doctor'],
        ['--help'],
        ['doctor', '--json'],
        ['rehearse', '--list'],
        ['logs'],
      ]) {
        const script = '{ sh "$@"; echo "exit $?" >&2; } | true'
        const ran = await runProgram('/bin/sh', ['-c', script, 'sh', entryPoint, ...words], {
          env: rig.environment,
          timeoutMs: 30_000,
        })
        assert.match(ran.stderr, /^exit 0\n$/, `${words}: ${ran.stderr}`)
      }
    }))
})
