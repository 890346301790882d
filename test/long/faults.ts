/** Faults around a command: a missing program, an odd folder, a signal. Each has its exit code and its message. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { type RunResult, runProgram } from '#host/exec.ts'
import { openTmux } from '#host/tmux'
import { helloTask } from '#rehearsal/hello.ts'
import { createSession } from '#session'
import { blankManifest } from '../fixtures/blank-manifest.ts'
import { copyInstall } from '../fixtures/copy-install.ts'
import { installRecorder } from '../fixtures/recording-claude.ts'
import { entryPoint, fingerprintFolder, helloScenario, idleScenario, type Rig, withRig } from '../fixtures/rig.ts'
import { HANG_MS } from '../fixtures/scratch.ts'

/** Run dispatch with the recorder in place of claude. */
function start(rig: Rig, args: string[], env: Record<string, string> = {}, cwd?: string): Promise<RunResult> {
  return rig.dispatch(args, { env: { PATH: installRecorder(rig), ...env }, ...(cwd === undefined ? {} : { cwd }) })
}

/** Make a folder with these programs and no others. Returns the folder. */
function linkPrograms(folder: string, programs: string[]): string {
  fs.mkdirSync(folder, { recursive: true })
  for (const name of programs) {
    const program = ['/usr/bin', '/bin'].map(bin => path.join(bin, name)).find(file => fs.existsSync(file))
    if (program) fs.symlinkSync(program, path.join(folder, name))
  }
  return folder
}

function writeProgram(folder: string, name: string, content: string | Uint8Array, mode = 0o755): string {
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, name), content, { mode })
  return folder
}

function listSessionIds(rig: Rig): string[] {
  const workspace = path.join(rig.home, 'dispatch/workspace')
  return fs.existsSync(workspace) ? fs.readdirSync(workspace) : []
}

describe('claude and the other programs', { concurrency: 2 }, () => {
  it('without GEMINI_API_KEY a start warns, and the session runs', () =>
    withRig(
      idleScenario,
      async rig => {
        const ran = await start(rig, ['do it'])
        assert.equal(ran.exitCode, 0, ran.stderr)
        assert.match(ran.stdout, /GEMINI_API_KEY is not set/)
      },
      { GEMINI_API_KEY: '' },
    ))

  it('a claude that is missing, broken or too old is exit 6, and no session is made', () =>
    withRig(idleScenario, async rig => {
      const bare = copyInstall(path.join(rig.home, 'bare'), ['.bin', '@anthropic-ai'])
      const tools = linkPrograms(path.join(rig.home, 'tools'), ['sh', 'git', 'tmux', 'readlink', 'cat'])
      const elf = Buffer.alloc(64)
      elf.writeUInt32BE(0x7f454c46, 0)
      elf.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18)
      const writeClaude = (name: string, content: string | Uint8Array, mode?: number) =>
        writeProgram(path.join(rig.home, name), 'claude', content, mode)
      const cases: [string, RegExp][] = [
        ['/nowhere', /claude is not installed.*\n.*npm install -g @anthropic-ai\/claude-code/],
        [writeClaude('inert', '#!/bin/sh\n', 0o644), /inert\/claude is not executable\n.*`chmod \+x/],
        [writeClaude('foreign', elf), /built for Linux on (arm64|x64)/],
        [writeClaude('broken', '#!/bin/sh\necho no good >&2; exit 3\n'), /broken\/claude .*exit 3: no good/],
        [writeClaude('old', '#!/bin/sh\necho 2.1.117\n'), /claude 2\.1\.117 is too old/],
        [writeClaude('older', '#!/bin/sh\necho 1.0.99\n'), /too old/],
      ]
      for (const [folder, message] of cases) {
        const env = { ...rig.environment, PATH: `${folder}:${tools}`, NODE_COMPILE_CACHE: '' }
        const ran = await runProgram('/bin/sh', [bare, 'do it'], { env, cwd: rig.home })
        assert.equal(ran.exitCode, 6, ran.stdout + ran.stderr)
        assert.match(ran.stderr, message)
        assert.ok(ran.milliseconds < 10_000, `${ran.milliseconds} ms`) // One second on an idle machine.
      }
      assert.deepEqual(listSessionIds(rig), [])
    }))

  it('a claude that asks for a login is exit 7, and is started once', () =>
    withRig(
      idleScenario,
      async rig => {
        const script =
          '#!/bin/sh\n[ "$1" = --version ] && exec echo 2.1.329\necho "Not logged in · Please run /login"; sleep 600\n'
        const bin = writeProgram(path.join(rig.home, 'out'), 'claude', script)
        const ran = await rig.dispatch(['do it'], { env: { PATH: `${bin}:${rig.environment['PATH']}` } })
        assert.equal(ran.exitCode, 7, ran.stderr)
        assert.match(ran.stderr, /claude is not logged in/)
        assert.equal(rig.readEvents().filter(event => event.type === 'start.failed').length, 1)
      },
      { START_TIMEOUT_SEC: '6' },
    ))

  it('with an old Node dispatch is exit 6, and its first line names both versions', () =>
    withRig(idleScenario, async rig => {
      const bin = path.join(rig.home, 'old/bin')
      fs.mkdirSync(bin, { recursive: true })
      fs.copyFileSync(entryPoint, path.join(bin, 'dispatch'))
      const fakeNode = writeProgram(
        path.join(rig.home, 'fake'),
        'node',
        '#!/bin/sh\n[ "$1" = --version ] && echo v22.0.0\n[ "$1" = --version ]\n',
      )
      const systemNode = ['/usr/bin/node', '/usr/local/bin/node'].find(file => fs.existsSync(file))
      const systemVersion = systemNode ? (await runProgram(systemNode, ['--version'])).stdout.trim() : 'v26'
      const cases: [string, string][] = [
        [fakeNode, 'v22\\.0\\.0'],
        ['/nowhere', 'none'],
      ]
      if (systemNode && Number(systemVersion.slice(1, 3)) < 22)
        cases.push([path.dirname(systemNode), systemVersion.replaceAll('.', '\\.')])
      for (const [PATH, version] of cases) {
        const ran = await runProgram('/bin/sh', [path.join(bin, 'dispatch'), 'ls'], {
          env: { ...rig.environment, PATH },
        })
        assert.equal(ran.exitCode, 6, ran.stderr)
        assert.match(
          ran.stderr.split('\n')[0] ?? '',
          new RegExp(`^dispatch: Node 22\\.22 or newer is needed; found ${version}\\.`),
        )
      }
      const [, test = ''] = /-e '([^']+)'/.exec(fs.readFileSync(entryPoint, 'utf8')) ?? []
      const accepts = (node: string) => {
        let code: number | undefined
        new Function('process', test)({ versions: { node }, exit: (exitCode: number) => (code = exitCode) })
        return code === 0
      }
      const versions = ['20.20.2', '21.9.0', '22.0.0', '22.21.1', '22.22.0', '23.0.0', '24.21.0', '26.1.0']
      assert.deepEqual(versions.map(accepts), [false, false, false, false, true, true, true, true])
    }))

  it('without tmux or git a start is exit 6, and names the command that installs it', () =>
    withRig(idleScenario, async rig => {
      installRecorder(rig)
      for (const missing of ['tmux', 'git']) {
        const tools = ['sh', 'cat', 'git', 'tmux', 'readlink'].filter(name => name !== missing)
        const PATH = `${path.join(rig.home, 'recorder')}:${linkPrograms(path.join(rig.home, `no-${missing}`), tools)}`
        const ran = await rig.dispatch(['do it'], { env: { PATH } })
        assert.equal(ran.exitCode, 6, ran.stderr)
        assert.match(
          ran.stderr,
          new RegExp(`${missing} is not installed, or not on PATH\\n {2}Install it: \`(brew|xcode-select)`),
        )
        const doctor = await rig.dispatch(['doctor'], { env: { PATH } })
        assert.equal(doctor.exitCode, 6)
        assert.match(doctor.stdout, new RegExp(`FAIL +${missing} .*\\n +→ .*install ${missing}`))
      }
      assert.deepEqual(listSessionIds(rig), [])
    }))
})

describe('several at once', { concurrency: 2 }, () => {
  // Whole sessions would be too many processes for two cores. What is contended is the session's folder, so a tmux that fails
  // ends each start right after it has made one.
  const starts = Number(process.env['CONCURRENT_STARTS'] ?? 40)

  it(`${starts} starts of one task at once are as many whole sessions`, () =>
    withRig(idleScenario, async rig => {
      const bin = writeProgram(
        path.join(rig.home, 'refusing'),
        'tmux',
        '#!/bin/sh\n[ "$1" = -V ] && exec echo tmux 3.3a\necho refused >&2\nexit 1\n',
      )
      const env = { PATH: `${bin}:${installRecorder(rig)}` }
      const ran = await Promise.all(Array.from({ length: starts }, () => rig.dispatch(['the same task'], { env })))
      const unexpected = ran.filter(({ exitCode, stderr }) => exitCode !== 6 || !/tmux failed/.test(stderr))
      assert.deepEqual(
        unexpected.map(({ exitCode, stderr }) => `${exitCode} ${stderr}`),
        [],
      )
      assert.equal(listSessionIds(rig).length, starts)
      for (const id of listSessionIds(rig)) {
        const { paths, manifest } = rig.readSession(id)
        assert.equal(manifest.id, id)
        assert.equal(fs.readFileSync(paths.task, 'utf8'), 'the same task')
        assert.ok(fs.readFileSync(paths.systemPrompt, 'utf8').includes(id))
      }
      const temporary = fs
        .readdirSync(path.join(rig.home, 'dispatch'), { recursive: true })
        .filter(name => String(name).includes('.tmp-'))
      assert.deepEqual(temporary, [])
    }))

  it('an id that is taken is exit 5, and the first session is unchanged', () =>
    withRig(idleScenario, async rig => {
      const workspace = path.join(rig.home, 'dispatch/workspace')
      const manifest = { ...blankManifest, id: '2026-11-20-the-same-a3f9' }
      createSession(workspace, manifest, Buffer.from('first'))
      const before = fingerprintFolder(workspace)
      assert.throws(() => createSession(workspace, manifest, Buffer.from('second')), { exitCode: 5 })
      assert.deepEqual(fingerprintFolder(workspace), before)
    }))

  it('an output that cannot be written is exit 10, and the session goes on', () =>
    withRig(idleScenario, async rig => {
      const command = ['-c', `'${entryPoint}' 'do it' --no-repo >/dev/full`]
      const ran = await runProgram('/bin/sh', command, { env: rig.environment, cwd: rig.home })
      assert.equal(ran.exitCode, 10, ran.stderr)
      assert.match(ran.stderr, /the output cannot be written: ENOSPC/)
      await rig.waitUntil('it starts', () => rig.readEvents().some(({ type }) => type === 'orchestrator.started'))
    }))

  it('a second runner of a session is exit 5 and writes nothing', () =>
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
      assert.match(ran.stderr, new RegExp(`runner.*${runner?.pid}`))
      assert.equal(rig.readEvents().filter(({ type }) => type === 'runner.started').length, 1)
      assert.ok(rig.readEvents().length - before <= 2)
    }))
})

describe('the environment of a start', { concurrency: 2 }, () => {
  it('dispatch works in the C locale, without TERM, and without HOME', () =>
    withRig(idleScenario, async rig => {
      const task = 'schön 👩‍👩‍👧 日本語'
      for (const env of [{ LC_ALL: 'C', LANG: '' }, { TERM: '' }, { HOME: '' }]) {
        const variables = Object.fromEntries(
          Object.entries({ ...rig.environment, ...env }).filter(([, value]) => value !== ''),
        )
        const ran = await runProgram('/bin/sh', [entryPoint, task], {
          env: { ...variables, PATH: installRecorder(rig) },
          cwd: path.join(rig.home, 'elsewhere'),
        })
        assert.equal(ran.exitCode, 0, `${JSON.stringify(env)}: ${ran.stderr}`)
        assert.equal(fs.readFileSync(rig.readSession().paths.task, 'utf8'), task)
        await rig.dispatch(['stop', rig.readSession().id])
      }
    }))

  it('a home that cannot be written is exit 2 and names the variable', () =>
    withRig(idleScenario, async rig => {
      for (const [env, message] of [
        [
          { DISPATCH_HOME: '', HOME: '/dev/null' },
          /HOME leads to \/dev\/null\/\.claude-dispatch, and user \d+ cannot write there/,
        ],
        [{ DISPATCH_HOME: '/sys/nowhere' }, /DISPATCH_HOME leads to \/sys\/nowhere, and user \d+ cannot write there/],
        [{ DISPATCH_HOME: 'relative' }, /DISPATCH_HOME must be an absolute path/],
      ] as const) {
        const ran = await start(rig, ['do it'], env)
        assert.equal(ran.exitCode, 2, ran.stderr)
        assert.match(ran.stderr, message)
        assert.doesNotMatch(ran.stderr, /internal error/)
      }
      assert.deepEqual(fs.readdirSync(path.join(rig.home, 'elsewhere')), [])
    }))

  it('a session works in paths with blanks, quotes, percent signs and accents', () =>
    withRig(helloScenario, async rig => {
      const odd = path.join(rig.home, 'a \'b\' "c" %41 #d $HOME ü u\u0308 日本')
      fs.mkdirSync(odd)
      const dispatch = copyInstall(path.join(odd, 'install'))
      const env = { ...rig.environment, DISPATCH_HOME: path.join(odd, 'home'), NODE_COMPILE_CACHE: '' }
      const cwd = path.join(odd, 'repository')
      fs.mkdirSync(cwd)
      await runProgram(
        '/bin/sh',
        ['-c', 'git init -q && git -c user.name=x -c user.email=x@y commit -q --allow-empty -m first'],
        { cwd },
      )
      try {
        const ran = await runProgram('/bin/sh', [dispatch, helloTask, '--wait', '--json'], {
          env,
          cwd,
          timeoutMs: HANG_MS,
        })
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.equal(JSON.parse(ran.stdout).state, 'PASS')
        for (const args of [['ls'], ['show'], ['wait'], ['doctor']]) {
          const result = await runProgram('/bin/sh', [dispatch, ...args], { env, cwd, timeoutMs: HANG_MS })
          assert.equal(result.exitCode, 0, `${args}: ${result.stdout}${result.stderr}`)
        }
      } finally {
        await runProgram('/bin/sh', [dispatch, 'stop', '--all'], { env, timeoutMs: HANG_MS })
      }
    }))

  it('a line break in DISPATCH_HOME is exit 2, and nothing is made', () =>
    withRig(idleScenario, async rig => {
      const ran = await start(rig, ['do it'], { DISPATCH_HOME: path.join(rig.home, 'a\nb'), NODE_COMPILE_CACHE: '' })
      assert.equal(ran.exitCode, 2)
      assert.match(ran.stderr, /DISPATCH_HOME must be an absolute path/)
      assert.deepEqual(
        fs.readdirSync(rig.home).filter(name => name.startsWith('a')),
        [],
      )
    }))
})

it('the runner keeps its settings when .env becomes invalid, and says so once', () =>
  withRig(idleScenario, async rig => {
    assert.equal((await start(rig, ['do it'])).exitCode, 0)
    const { id, paths } = rig.readSession()
    const waiting = rig.dispatch(['wait'])
    await new Promise(resolve => setTimeout(resolve, 1000))
    fs.writeFileSync(path.join(rig.home, 'dispatch/.env'), '\nROUNDS=many\nnonsense\n')
    const { socketArguments } = openTmux(path.join(rig.home, 'dispatch'))
    const screen = async () =>
      (await runProgram('tmux', [...socketArguments, 'capture-pane', '-p', '-J', '-t', `=dispatch-${id}:=runner`]))
        .stdout
    for (let tries = 0; tries < 100 && !(await screen()).includes('.env:2: ROUNDS=many'); tries++)
      await new Promise(resolve => setTimeout(resolve, 100))
    await new Promise(resolve => setTimeout(resolve, 5500)) // `wait` looks after the runner every 5 seconds.
    const shown = await screen()
    assert.equal(shown.match(/\.env:2: ROUNDS=many/g)?.length, 1, shown)
    const ran = await rig.dispatch(['ls'])
    assert.equal(ran.exitCode, 0)
    assert.match(ran.stderr, /\.env:2: ROUNDS=many.*\n.*\.env:3: /)
    fs.rmSync(path.join(rig.home, 'dispatch/.env'))
    assert.match((await rig.dispatch(['ls'])).stdout, /planning/)
    fs.writeFileSync(paths.stopRequest, 'the test is over')
    const waited = await waiting
    assert.equal(waited.exitCode, 12, waited.stderr)
  }))

it('a start lists what the copy of a repository lacks, and never changes it', () =>
  withRig(idleScenario, async rig => {
    const repository = path.join(rig.home, 'elsewhere/mine')
    fs.mkdirSync(repository)
    const env = { ...rig.environment, GIT_CONFIG_GLOBAL: '/dev/null' }
    const runShell = async (script: string) => {
      const ran = await runProgram('/bin/sh', ['-ec', script], { cwd: repository, env })
      assert.equal(ran.exitCode, 0, ran.stderr)
    }
    await runShell('git init -q -b main; git config user.name me; git config user.email me@x')
    const withoutCommit = await start(rig, ['do it'], {}, repository)
    assert.equal(withoutCommit.exitCode, 2, withoutCommit.stderr)
    assert.match(withoutCommit.stderr, /no commit yet\n.*--no-repo/)
    await runShell(`
      echo '*.bin filter=lfs' >.gitattributes; 
      printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 9\n' 1 >big.bin
      echo one >readme; blob=$(git hash-object -w readme); git add .
      git update-index --add --cacheinfo 160000,$(printf '%040d' 1),vendor/part
      git update-index --add --cacheinfo 100644,$blob,Readme
      git commit -q -m first; git checkout -q --detach
      echo two >>readme; echo new >new; : >.git/index.lock`)
    const before = fingerprintFolder(repository)
    const ran = await start(rig, ['do it'], {}, repository)
    assert.equal(ran.exitCode, 0, ran.stderr)
    for (const message of [
      /uncommitted/,
      /detached HEAD/,
      /vendor\/part/,
      /Readme and readme/,
      /1 file is a Git LFS pointer/,
      /index\.lock/,
    ])
      assert.match(ran.stdout, message)
    assert.deepEqual(fingerprintFolder(repository), before, 'the checkout was changed')
    assert.equal(fs.readFileSync(path.join(rig.readSession().paths.outputs, 'readme'), 'utf8'), 'one\n')
  }))

it('a session of a newer dispatch is shown, and writing it is exit 6', () =>
  withRig(idleScenario, async rig => {
    const workspace = path.join(rig.home, 'dispatch/workspace')
    const { paths, id } = createSession(
      workspace,
      { ...blankManifest, id: '2026-11-20-from-the-future-a3f9' },
      Buffer.from('do it'),
    )
    fs.writeFileSync(
      paths.manifest,
      JSON.stringify({ ...blankManifest, id, format: 2, maxRounds: { new: 'form' }, more: true }),
    )
    fs.writeFileSync(
      paths.events,
      '\n{"seq":1,"time":"2026-11-20T00:00:00.000Z","type":"session.opened","format":2}\n{"seq":2,"time":"2026-11-20T00:00:01.000Z","type":"galaxy.explored"}\n',
    )
    const before = fingerprintFolder(workspace)
    assert.match((await rig.dispatch(['ls'])).stdout, /from-the-future-a3f9.*format 2/)
    const shown = await rig.dispatch(['show', 'a3f9'])
    assert.equal(shown.exitCode, 0, shown.stderr)
    assert.match(shown.stdout, /newer dispatch \(format 2/)
    const stopped = await rig.dispatch(['stop', 'a3f9'])
    assert.equal(stopped.exitCode, 6)
    assert.match(stopped.stderr, /newer dispatch \(format 2/)
    assert.match((await rig.dispatch(['stop', '--all'])).stdout, /newer dispatch/)
    const runner = await runProgram(
      process.execPath,
      [path.join(path.dirname(entryPoint), 'processes/runner.ts'), id],
      {
        env: rig.environment,
      },
    )
    assert.equal(runner.exitCode, 6, runner.stderr)
    assert.equal((await rig.dispatch(['watchdog'])).stdout, '')
    assert.match((await rig.dispatch(['doctor'])).stdout, /newer\s+dispatch\s+\(format 2/)
    assert.deepEqual(fingerprintFolder(workspace), before)
  }))

// --- signals ---

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'
const exitCodes: Record<Signal, number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

/** Run a command in a shell that sends it a signal after some seconds and ends with its exit code. */
function runAndSignal(
  rig: Rig,
  args: string[],
  { signal, seconds }: { signal: Signal; seconds: number },
): Promise<RunResult> {
  const script = 'trap "" INT; sh "$@" & sleep "$seconds"; kill -s "$signal" $!; wait $!; exit $?'
  return runProgram('/bin/sh', ['-c', script, 'sh', entryPoint, ...args], {
    env: { ...rig.environment, PATH: installRecorder(rig), signal: signal.slice(3), seconds: String(seconds) },
    cwd: path.join(rig.home, 'elsewhere'),
    timeoutMs: HANG_MS,
  })
}

describe('a signal or a closed pipe ends a command quietly', {
  concurrency: 2,
}, () => {
  it('watch and wait end with the exit code of the signal', () =>
    withRig(idleScenario, async rig => {
      assert.equal((await start(rig, ['do it'])).exitCode, 0)
      for (const args of [['watch'], ['wait']])
        for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
          const ran = await runAndSignal(rig, args, { signal, seconds: 1.5 })
          assert.equal(ran.exitCode, exitCodes[signal], `${args} ${signal}: ${ran.stderr}`)
          assert.doesNotMatch(ran.stderr, /internal error|\.ts:/)
        }
      const interrupted = await runProgram(
        '/usr/bin/env',
        ['timeout', '-s', 'INT', '2', process.execPath, path.join(path.dirname(entryPoint), 'dispatch.ts'), 'watch'],
        { env: rig.environment },
      )
      assert.ok(interrupted.exitCode === 124 || interrupted.exitCode === 130, `${interrupted.exitCode}`)
      assert.equal(rig.readStatus().phase, 'planning')
    }))

  it('an interrupted start leaves no session, or one that can be stopped', () =>
    withRig(idleScenario, async rig => {
      for (const seconds of [0.05, 0.2, 0.4, 0.6, 1]) {
        const ran = await runAndSignal(rig, ['do it'], { signal: 'SIGTERM', seconds })
        assert.ok(ran.exitCode === 143 || ran.exitCode === 0, `${seconds}: ${ran.exitCode} ${ran.stderr}`)
        assert.doesNotMatch(ran.stderr, /internal error/)
        const listed = await rig.dispatch(['ls', '--json'])
        assert.equal(listed.exitCode, 0, listed.stderr)
      }
      assert.equal((await rig.dispatch(['stop', '--all'])).exitCode, 0)
      // Interrupted between tmux's server and its first window, a start leaves an empty server, which the next start uses.
      await runProgram('tmux', [...openTmux(path.join(rig.home, 'dispatch')).socketArguments, 'kill-server'])
    }))

  it('a closed pipe is exit 0, whatever the command prints, and 141 where a verdict is waited for', () =>
    withRig(idleScenario, async rig => {
      assert.equal((await start(rig, ['do it'])).exitCode, 0)
      for (const args of [
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
        const ran = await runProgram('/bin/sh', ['-c', script, 'sh', entryPoint, ...args], {
          env: rig.environment,
          timeoutMs: HANG_MS,
        })
        assert.equal(ran.stderr, `exit ${args[0] === 'watch' ? 141 : 0}\n`, `${args}`)
      }
    }))
})
