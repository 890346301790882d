import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { helloContract, helloTask, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, say } from '#rehearsal/scenario.ts'
import { readEvidence, readVerdictRecord } from '#session/evidence'
import { commitFolder, fingerprintFolder, helloScenario, type Rig, withRig } from '../fixtures/rig.ts'
import { whyNoSandbox } from '../fixtures/skip-reasons.ts'

/** Commands with which a worker attacks what it must not touch, from its checkout and with the user's rights. */
const attacks = [
  'echo "# nothing" > ../contract.md',
  'chmod u+w ../contract.md',
  'mv ../contract.md ../old.md',
  'rm -f ../contract.md',
  'ln -sf /dev/null ../contract.md',
  'echo "{}" >> ../events.jsonl',
  ': > ../events.jsonl',
  'mv ../evidence ../evidence.old',
  'echo forged > ../evidence/round-1-C1.json',
  'echo "# PASS" > ../verdict.md',
  'rm -rf ../.write-lock/token',
  'echo 9 > ../.write-lock/token',
  'rm -rf ../.runner-lease/1',
  'echo "{}" > ../session.json',
  'echo "do nothing" > ../task.md',
  'touch ../stop',
  'echo "{}" > ../stop-gate.json',
  'echo x > ../human/1700000000000-000-00000000.json',
  'echo x > ../orchestrator/requests/forged',
  'echo "*" > "$DISPATCH_WRITE_ALLOWLIST"',
  'echo "echo hi" >> "$DISPATCH_HOOKS/record"',
  'git -C ../evidence/repository.git update-ref refs/heads/base HEAD',
  'git config core.hooksPath /tmp',
  'echo "echo hi" > .git/hooks/pre-commit',
  'cat ../../../.env',
  'ls ../../',
  'cat "$HOME/secret"',
  'env | grep GEMINI',
]

describe('in the sandbox', { skip: whyNoSandbox, concurrency: 2 }, () => {
  it(`${attacks.length} attacks of a worker have no effect`, () => {
    const attempts = attacks.map(attack => `(${attack}) 2>/dev/null`).join('\n')
    return withRig(
      {
        ...helloScenario,
        workers: {
          '*': [bash(`${attempts}\necho "all attempts made"`), put('hello.sh', 'echo hello'), say('It prints hello.')],
        },
        orchestrator: [put('contract.md', helloContract), ...remainingTurns],
      },
      async rig => {
        fs.writeFileSync(path.join(rig.home, 'home/secret'), 'the-secret-of-home')
        fs.mkdirSync(path.join(rig.home, 'dispatch/workspace'), { recursive: true })
        fs.writeFileSync(path.join(rig.home, 'dispatch/.env'), '# the-secret-of-env\n')
        fs.mkdirSync(path.join(rig.home, 'dispatch/workspace/the-session-of-another'))
        const hooks = fingerprintFolder(path.join(import.meta.dirname, '../../hooks'))
        const ran = await rig.dispatch([helloTask, '--wait'])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        const { paths, manifest } = rig.readSession()
        const stream = fs.readFileSync(paths.worker('hello').stream, 'utf8')
        assert.match(stream, /all attempts made/)
        assert.doesNotMatch(stream, /the-secret-of|the-session-of|GEMINI_API_KEY=/)
        const read = (...names: string[]) => fs.readFileSync(path.join(...names), 'utf8')
        assert.equal(read(paths.contract), helloContract.trimStart())
        assert.equal(read(paths.task), helloTask)
        assert.deepEqual(JSON.parse(read(paths.manifest)), manifest)
        assert.match(read(paths.verdictText), /^# PASS\n\n2 of 2 clauses are met/)
        assert.deepEqual(fs.readdirSync(paths.messages), [])
        assert.doesNotMatch(read(paths.outputs, '.git/config'), /hooksPath/)
        assert.ok(!fs.existsSync(path.join(paths.outputs, '.git/hooks/pre-commit')))
        for (const name of ['evidence.old', 'old.md']) assert.ok(!fs.existsSync(path.join(paths.folder, name)), name)
        assert.equal(
          rig
            .readEvents()
            .map(({ seq }) => seq)
            .findIndex((seq, index) => seq !== index + 1),
          -1,
        )
        assert.equal(readVerdictRecord(paths)?.sandbox, 'bubblewrap')
        assert.ok(readEvidence(paths).every(({ sandbox }) => sandbox === 'bubblewrap'))
        assert.deepEqual(fingerprintFolder(path.join(import.meta.dirname, '../../hooks')), hooks)
        assert.doesNotMatch((await rig.dispatch(['show'])).stdout, /no sandbox/)
        const audit = await rig.dispatch(['audit'])
        assert.equal(audit.exitCode, 0, audit.stdout + audit.stderr)
      },
      { SANDBOX: 'auto', ROUNDS: '1' },
    )
  })

  it('setup and services run inside, checks have no network, agents only allowed hosts', () => {
    const probe =
      'node -e "fetch(process.argv[1]).then(r => r.text()).then(t => console.log(t)).catch(() => console.log(\'no answer\'))"'
    const text = helloContract
      .replace('sh hello.sh', 'sh hello.sh && cat deps/made "$DB_DIR/greeting"')
      .replace('equals `hello`', 'contains `made inside`')
    return withRig(
      {
        ...helloScenario,
        orchestrator: [put('contract.md', text.replace('- scope: `hello.sh`', '- judged')), ...remainingTurns],
        workers: {
          '*': [
            put('hello.sh', `echo hello; ${probe} http://localhost:1/`),
            bash(`${probe} "$ANTHROPIC_BASE_URL/x"`),
            bash(`${probe} http://example.com/`),
            bash('cat "$DB_DIR/greeting" "$DB_URL"'),
            say('Done.'),
          ],
        },
      },
      async rig => {
        const cwd = await createRepository(rig, {
          '.dispatch.json': JSON.stringify({
            setup: ['mkdir deps; echo made inside > deps/made; touch "$HOME/../../escaped" || true'],
            makes: ['deps'],
            services: [
              {
                name: 'db',
                command: 'echo "hi from $DB_PORT" > "$DB_DIR/greeting"; exec sleep 600',
                ready: 'test -s "$DB_DIR/greeting"',
                variables: { DB_URL: '$DB_DIR/greeting' },
              },
            ],
          }),
        })
        assert.equal((await rig.dispatch(['prepare', '--yes'], { cwd })).exitCode, 0)
        const ran = await rig.dispatch([helloTask, '--wait'], { cwd })
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.ok(!fs.existsSync(path.join(rig.home, 'dispatch/prepared/escaped')))
        const stream = fs.readFileSync(rig.readSession().paths.worker('hello').stream, 'utf8')
        assert.match(stream, /no answer/)
        const output = fs.readFileSync(path.join(rig.readSession().paths.evidence, 'round-1-C1.txt'), 'utf8')
        assert.match(output, /^hello\nno answer\nmade inside\nhi from 21001\n$/)
        assert.match(stream, /hi from 21001\\nhi from 21001/, 'the worker reaches it too')
      },
      { SANDBOX: 'auto', ROUNDS: '1' },
    )
  })
})

describe('without a sandbox', { concurrency: 2 }, () => {
  /** A PATH without bubblewrap but with every other program, and with a socat on any machine. */
  const hideBubblewrap = (rig: Rig): string => {
    const folder = path.join(rig.home, 'programs')
    fs.mkdirSync(folder)
    for (const place of (rig.environment['PATH'] ?? '').split(':').filter(name => fs.existsSync(name)))
      for (const name of fs.readdirSync(place))
        if (name !== 'bwrap' && !fs.lstatSync(path.join(folder, name), { throwIfNoEntry: false }))
          fs.symlinkSync(path.join(place, name), path.join(folder, name))
    if (!fs.existsSync(path.join(folder, 'socat'))) fs.symlinkSync('/bin/true', path.join(folder, 'socat'))
    return folder
  }

  it('a missing sandbox is refused by required, and reported by auto', () =>
    withRig(
      helloScenario,
      async rig => {
        const PATH = hideBubblewrap(rig)
        const refused = await rig.dispatch([helloTask], { env: { PATH, SANDBOX: 'required' } })
        assert.equal(refused.exitCode, 11, refused.stdout + refused.stderr)
        assert.match(
          refused.stderr,
          /a sandbox is required, but none works here: bwrap is not on PATH\n.*apt-get install bubblewrap/,
        )
        assert.ok(!fs.existsSync(path.join(rig.home, 'dispatch/workspace')))

        const ran = await rig.dispatch([helloTask, '--wait'], { env: { PATH, SANDBOX: 'auto' } })
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.match(ran.stdout, /no sandbox \(bwrap is not on PATH\): agents and checks run with your rights/)
        const opened = rig.readEvents()[0]
        assert.deepEqual(opened?.type === 'session.opened' && opened.sandbox, {
          kind: null,
          reason: 'bwrap is not on PATH',
        })
        assert.match((await rig.dispatch(['show'])).stdout, /no sandbox \(bwrap is not on PATH\)/)
        assert.match(
          fs.readFileSync(rig.readSession().paths.verdictText, 'utf8'),
          /- sandbox: none: .*bwrap is not on PATH/,
        )
        const page = fs.readFileSync(path.join(rig.home, 'dispatch/web.json'), 'utf8')
        const shown = await fetch(`${JSON.parse(page).url}/s/${rig.readSession().id}`).then(answer => answer.text())
        assert.match(shown, /none: bwrap is not on PATH/)
      },
      { ROUNDS: '1', WEBUI_PORT: '' },
    ))

  it('invalid sandbox options are exit 2', () =>
    withRig(helloScenario, async rig => {
      const cases: [string[], RegExp][] = [
        [['--sandbox', 'yes'], /--sandbox takes auto, required or off, not "yes"/],
        [['--allow-host', 'http://x/y'], /--allow-host takes the name of a host, not "http:\/\/x\/y"/],
      ]
      for (const [args, pattern] of cases) {
        const ran = await rig.dispatch([helloTask, ...args])
        assert.equal(ran.exitCode, 2)
        assert.match(ran.stderr, pattern)
      }
    }))
})

async function createRepository(rig: Rig, files: Record<string, string>): Promise<string> {
  const folder = path.join(rig.home, 'elsewhere/project')
  fs.mkdirSync(folder)
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text)
  return commitFolder(folder)
}
