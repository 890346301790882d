import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { commandTable } from '#cli/commands/index.ts'
import { installFolder } from '#host/config'
import { runProgram } from '#host/exec.ts'
import { helloContract, helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, type Scenario, say, spawn } from '#rehearsal/scenario.ts'
import { findFreePort } from '../fixtures/free-port.ts'
import {
  commitFolder,
  findProcesses,
  fingerprintFolder,
  helloScenario,
  idleScenario,
  type Rig,
  waitForGoOn,
  withPhone,
  withRig,
} from '../fixtures/rig.ts'

describe('from a task to a verdict', { concurrency: 2 }, () => {
  it('PASS is exit 0, is pushed, and is void when the work changes', () =>
    withRig(
      helloScenario,
      async rig => {
        const ran = await rig.dispatch([helloTask, '--wait', '--json'])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        const outcome = JSON.parse(ran.stdout)
        assert.equal(outcome.state, 'PASS')
        const { paths } = rig.readSession()
        const record = JSON.parse(fs.readFileSync(paths.verdictRecord, 'utf8'))
        assert.equal(record.verdict, 'PASS')
        assert.match(record.tree, /^[0-9a-f]{40}$/)
        assert.match(fs.readFileSync(paths.verdictText, 'utf8'), /^# PASS/)

        // The start and the verdict are pushed once each, with the id and without the task's text.
        const pushes = () =>
          rig.models.requests.filter(request => request.role === undefined && request.path.startsWith('/rehearsal-'))
        await rig.waitUntil('both pushes', () => pushes().length === 2)
        const { id } = rig.readSession()
        assert.deepEqual(
          rig
            .readEvents()
            .flatMap(event => (event.type === 'notification.queued' ? [event.eventType] : []))
            .sort(),
          ['orchestrator.started', 'verdict.given'],
        )
        for (const { body } of pushes()) assert.ok(body.includes(id) && !body.includes('shell script'), body)

        fs.mkdirSync(path.join(rig.home, 'elsewhere/mine'))
        const cwd = path.join(rig.home, 'elsewhere/mine')
        await runProgram('git', ['init', '-q'], { cwd })
        const fetched = await runProgram('git', ['fetch', '-q', paths.bareRepository, 'judged'], { cwd })
        assert.equal(fetched.exitCode, 0, fetched.stderr)
        assert.equal((await runProgram('git', ['show', 'FETCH_HEAD:hello.sh'], { cwd })).stdout, 'echo hello\n')

        assert.doesNotMatch((await rig.dispatch(['show'])).stdout, /VOID/)
        fs.appendFileSync(path.join(paths.outputs, 'hello.sh'), 'rm -rf ~\n')
        const shown = await rig.dispatch(['show'])
        assert.match(shown.stdout, /VOID[^\n]*hello\.sh/)
        await rig.waitUntil('the runner voids it', () => rig.readStatus().verdict?.voidReason)
        const voided = /^# PASS \(void\)\n\n\*\*This verdict is void/
        await rig.waitUntil('verdict.md shows it', () => voided.test(fs.readFileSync(paths.verdictText, 'utf8')))
        assert.match((await rig.dispatch(['ls'])).stdout, /PASS \(void\)/)
      },
      withPhone,
    ))

  it('refused requests are fixed, and the session still passes', test => {
    const askForUsage = bash('submit --help; ask --help; contract check it')
    const unknownClause = spawn('code --clauses C1,C3', 'Write hello.sh.')
    const addClause = put(
      'contract.md',
      `${helloContract}\n## C3 — hello.sh has one line\n- check: \`test "$(wc -l < hello.sh)" = 1\``,
    )
    const commitNested = bash(
      'git init -q sub && git -C sub -c user.name=n -c user.email=n@h commit -q --allow-empty -m x',
    )
    const removeNested = bash('git rm -q --cached sub && rm -rf sub')
    const commitDirectly = bash(
      'cd $DISPATCH_OUTPUTS && echo "echo mine" > hello.sh && git commit -qam mine; cd $DISPATCH_ORCHESTRATOR_FOLDER',
    )
    const [wait, submit] = [bash('wait-workers'), bash('submit')]
    const orchestrator = [
      ...[put('contract.md', helloContract), askForUsage, unknownClause, addClause],
      ...[...remainingTurns.slice(0, 1), wait, submit],
      ...[spawn('code --name again --clauses C1', 'Take the nested repository sub out.'), wait, commitDirectly, submit],
      ...[spawn('code --name third --clauses C1', 'Write hello.sh: it prints hello.'), ...remainingTurns.slice(1)],
    ]
    const workers = {
      hello: [commitNested, ...honestWorkerTurns],
      again: [removeNested, ...honestWorkerTurns],
      third: honestWorkerTurns,
    }
    return withRig({ ...helloScenario, workers, orchestrator }, async rig => {
      const ran = await rig.dispatch([helloTask, '--wait'])
      const refused = rig.readEvents().filter(event => event.type === 'request.rejected')
      const sealed = rig.readEvents().findIndex(event => event.type === 'contract.sealed')
      const submits = rig
        .readEvents()
        .slice(sealed)
        .filter(event => event.type === 'request.rejected')
      const refusals = refused.map(({ tool, reason }) => `${tool}: ${reason}`)

      await test.test('a rejected spawn seals nothing, and --help of a tool does nothing else', () => {
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        const before = rig.readEvents().slice(0, sealed)
        assert.equal(before.filter(event => event.type === 'request.rejected').length, 3, refusals.join('\n'))
        assert.equal(refused.length, 5, refusals.join('\n'))
        assert.equal(refused[2]?.tool, 'spawn-worker', refusals.join('\n'))
        assert.equal(rig.readStatus().clauses.length, 3)
        assert.ok(!rig.readEvents().some(event => event.type === 'question.asked'))
        assert.equal(rig.readStatus().round, 1)
      })

      await test.test('a nested repository is not judged', () => {
        assert.match(submits[0]?.reason ?? '', /sub was committed as a repository of its own/)
      })

      await test.test('a commit that no worker submitted is quarantined, not judged', () => {
        assert.deepEqual(
          submits.map(({ tool }) => tool),
          ['submit', 'submit'],
          refusals.join('\n'),
        )
        assert.doesNotMatch(submits[1]?.reason ?? '', /sub was committed/)
        assert.ok(rig.readEvents().some(event => event.type === 'changes.quarantined'))
        assert.equal(fs.readFileSync(path.join(rig.readSession().paths.outputs, 'hello.sh'), 'utf8'), 'echo hello\n')
      })
    })
  })

  it('an orchestrator that gives up after a FAIL needs you, with the reason', () => {
    const idleTurns = Array.from({ length: 8 }, () => say('I am done.'))
    const workers = { '*': [put('hello.sh', 'echo hullo'), say('done')] }
    const orchestrator = [put('contract.md', helloContract), ...remainingTurns.slice(0, 3), ...idleTurns]
    return withRig({ ...helloScenario, workers, orchestrator }, async rig => {
      const ran = await rig.dispatch([helloTask, '--wait'])
      assert.equal(ran.exitCode, 12, ran.stdout + ran.stderr)
      const { phase, problem } = rig.readStatus()
      assert.equal(phase, 'needs you', problem)
      const turns = rig.readEvents().filter(event => event.type === 'turn.ended')
      assert.ok(turns.length >= 5, `${turns.length} turns`)
    })
  })

  it('without a key the checks run and the verdict is INCONCLUSIVE, exit 12', () =>
    withRig(
      helloScenario,
      async rig => {
        const ran = await rig.dispatch([helloTask, '--wait'])
        assert.equal(ran.exitCode, 12, ran.stdout + ran.stderr)
        const { verdict, clauses } = rig.readStatus()
        assert.deepEqual([verdict?.verdict, verdict?.independence], ['INCONCLUSIVE', 'none'])
        assert.equal(clauses.find(({ id }) => id === 'C1')?.headOutcome, 'green')
        assert.match(verdict?.reason ?? '', /GEMINI_API_KEY/, 'it names what is missing')
        assert.equal(rig.models.requests.filter(request => request.role === 'judge').length, 0)
      },
      { GEMINI_API_KEY: '' },
    ))

  it('without a key a red check is sent back, until the last round is exit 12', () => {
    const wrong = [put('hello.sh', 'echo hullo'), say('hello.sh prints hello.')]
    const again = [spawn('code --name again --clauses C1', 'Fix hello.sh: it prints hello.'), bash('wait-workers')]
    const orchestrator = [
      put('contract.md', helloContract),
      ...remainingTurns.slice(0, 3),
      ...again,
      ...remainingTurns.slice(2),
    ]
    return withRig(
      { ...helloScenario, workers: { hello: wrong, again: wrong }, orchestrator },
      async rig => {
        const ran = await rig.dispatch([helloTask, '--wait'], { env: { ROUNDS: '2' } })
        assert.equal(ran.exitCode, 12, ran.stdout + ran.stderr)
        const verdicts = rig.readEvents().filter(event => event.type === 'verdict.given')
        assert.deepEqual(
          verdicts.map(({ verdict, isFinal }) => [verdict, isFinal]),
          [
            ['INCONCLUSIVE', false],
            ['INCONCLUSIVE', true],
          ],
        )
        assert.equal(verdicts.at(-1)?.clauses.find(({ id }) => id === 'C1')?.verdict, 'FAIL')
      },
      { GEMINI_API_KEY: '' },
    )
  })

  it('the judge never sees source, even if a worker or check repeats it', () => {
    const canary = 'canary_5f1c9e7b3a_planted'
    const source = `# ${canary}\nsecret_sauce_of_the_house = "hello"\necho hello # ${canary}`
    const leaky: Scenario = {
      ...helloScenario,
      orchestrator: [
        put(
          'contract.md',
          helloContract.replace(
            '`sh hello.sh`\n- expect: output equals `hello`',
            '`sh hello.sh; cat hello.sh`\n- expect: output contains `hello`',
          ),
        ),
        ...remainingTurns,
      ],
      workers: {
        '*': [
          put('hello.sh', source.replace('secret_sauce_of_the_house = "hello"\n', '')),
          say(
            `I wrote:\n\n\`\`\`sh\n${source}\n\`\`\`\n\nThe token ${canary} is in it, "${canary}", and echo hello # ${canary}.`,
          ),
        ],
      },
    }
    return withRig(leaky, async rig => {
      const ran = await rig.dispatch([helloTask, '--wait'])
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      const sent = rig.models.requests.filter(request => request.role === 'judge').map(request => request.body)
      assert.equal(sent.length, 1)
      assert.ok(!sent[0]?.includes(canary), 'the canary was sent')
      assert.match(sent[0] ?? '', /C1 — Running hello\.sh prints hello/)
    })
  })

  it('a judge that says yes to every clause, even false ones, gives no PASS', () => {
    const verdicts = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`C${index + 1}`, { met: 'yes' as const, reason: 'sure' }]),
    )
    return withRig({ ...helloScenario, judge: [verdicts] }, async rig => {
      const ran = await rig.dispatch([helloTask, '--wait'])
      assert.equal(ran.exitCode, 12, ran.stdout)
      assert.match(ran.stdout, /INCONCLUSIVE/)
    })
  })
})

describe('the user’s repository', { concurrency: 2 }, () => {
  async function repository(rig: Rig): Promise<string> {
    const folder = path.join(rig.home, 'elsewhere/project')
    fs.mkdirSync(folder)
    fs.writeFileSync(path.join(folder, 'kept.txt'), 'kept\n')
    await commitFolder(folder)
    fs.writeFileSync(path.join(folder, 'kept.txt'), 'changed, not committed\n')
    fs.mkdirSync(path.join(folder, 'new'))
    for (const name of ['a', 'b', 'c', '.noise']) fs.writeFileSync(path.join(folder, 'new', name), 'new\n')
    fs.writeFileSync(path.join(rig.home, 'home/.gitignore_global'), '.noise\n')
    fs.writeFileSync(path.join(rig.home, 'home/.gitconfig'), '[core]\n\texcludesFile = ~/.gitignore_global\n')
    return folder
  }

  it('is copied from the current folder and does not change', () =>
    withRig(helloScenario, async rig => {
      const folder = await repository(rig)
      fs.writeFileSync(path.join(folder, '.git/hooks/post-checkout'), `#!/bin/sh\ntouch ${rig.home}/ran\n`, {
        mode: 0o755,
      })
      const before = fingerprintFolder(folder)
      const ran = await rig.dispatch([helloTask, '--wait'], { cwd: folder })
      assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
      assert.match(ran.stdout, /on a copy of \S+\/project at [0-9a-f]{10}, without 4 uncommitted files/)
      assert.deepEqual(fingerprintFolder(folder), before)
      assert.ok(!fs.existsSync(path.join(rig.home, 'ran')), 'a hook of the repository was run')
      const { outputs } = rig.readSession().paths
      assert.equal(fs.readFileSync(path.join(outputs, 'kept.txt'), 'utf8'), 'kept\n')
      assert.ok(!fs.existsSync(path.join(outputs, 'new')))
    }))

  it('a change outside the scope is a FAIL, whatever the judge says', () => {
    const straying: Scenario = {
      ...helloScenario,
      workers: { '*': [bash('echo hello > /dev/null; echo changed > kept.txt'), ...honestWorkerTurns] },
      settings: { ROUNDS: '1' },
    }
    return withRig(
      straying,
      async rig => {
        const ran = await rig.dispatch([helloTask, '--wait', '--repo', await repository(rig)])
        assert.equal(ran.exitCode, 3, ran.stdout + ran.stderr)
        assert.match(ran.stdout, /C2 +FAIL/)
        assert.match(ran.stdout, /kept\.txt/)
      },
      { ROUNDS: '1' },
    )
  })
})

describe('a session survives crashes', { concurrency: 2 }, () => {
  it('a killed runner gets exactly one successor and loses no round', () => {
    const gate = path.join(os.tmpdir(), `dispatch-gate-${process.pid}`)
    const heldCheck = `test -f hello.sh && until [ -e ${gate} ]; do sleep 0.1; done; sh hello.sh`
    const heldScenario: Scenario = {
      ...helloScenario,
      workers: { slow: [waitForGoOn, ...honestWorkerTurns] },
      orchestrator: [
        put('contract.md', helloContract.replace('sh hello.sh', heldCheck)),
        spawn('code --name slow --clauses C1', 'Write hello.sh.'),
        ...remainingTurns.slice(1),
      ],
    }
    return withRig(
      heldScenario,
      async rig => {
        const started = () => rig.readEvents().flatMap(event => (event.type === 'runner.started' ? [event.pid] : []))
        await rig.dispatch([helloTask])
        const { outputs } = rig.readSession().paths
        await rig.waitUntil('the worker works', () => fs.existsSync(path.join(outputs, 'waiting')))
        process.kill(started()[0] ?? 0, 'SIGKILL')
        await Promise.all([rig.dispatch(['watchdog']), rig.dispatch(['watchdog']), rig.dispatch(['watchdog'])])
        fs.writeFileSync(path.join(outputs, 'go-on'), '')
        await rig.waitUntil('the runner judges', () => rig.readStatus().phase === 'judging')
        assert.equal(started().length, 2, 'more than one successor acted')
        await rig.waitUntil('the late runners exit', () => rig.listRunners().length === 1)
        process.kill(started()[1] ?? 0, 'SIGKILL')
        fs.writeFileSync(gate, '')
        const ran = await rig.dispatch(['wait']).finally(() => fs.rmSync(gate))
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.equal(rig.readStatus().round, 1)
        assert.equal(started().length, 3, 'more than one successor acted')
        const numbers = rig.readEvents().map(event => event.seq)
        assert.deepEqual(
          numbers,
          numbers.map((_, index) => index + 1),
          'the log is not linear',
        )
        await rig.waitUntil('the late runners exit', () => rig.listRunners().length === 1)
      },
      { ROUNDS: '1', SANDBOX: 'off' }, // In the sandbox a check could not see its gate.
    )
  })

  it('a contract changed after its seal stops the session, exit 13', () =>
    withRig(
      {
        ...helloScenario,
        workers: { '*': [bash('chmod u+w ../contract.md; echo "# nothing" > ../contract.md'), ...honestWorkerTurns] },
      },
      async rig => {
        const ran = await rig.dispatch([helloTask, '--wait'])
        assert.equal(ran.exitCode, 13, ran.stdout)
        const { verdict, problemExitCode, problem } = rig.readStatus()
        assert.deepEqual([verdict, problemExitCode], [undefined, 13], problem)
      },
    ))

  it('stop ends everything even if the work cannot be read', () =>
    withRig({ ...helloScenario, workers: { '*': [bash('sleep 600')] } }, async rig => {
      await rig.dispatch([helloTask])
      await rig.waitUntil('the worker sleeps', () =>
        rig.listProcesses().some(({ command }) => command.startsWith('sleep 600')),
      )
      const { id, paths } = rig.readSession()
      fs.renameSync(path.join(paths.outputs, '.git'), path.join(paths.outputs, '.gone'))
      const ran = await rig.dispatch(['stop', id])
      assert.equal(ran.exitCode, 0, ran.stderr)
      await rig.waitUntil('every process has ended', () =>
        findProcesses(id).every(({ command }) => command.startsWith('tmux')),
      )
    }))

  it('a killed worker starts again twice; then its write lock goes to the next worker', () =>
    withRig(
      {
        ...helloScenario,
        workers: { doomed: [bash('sleep 600')], '*': honestWorkerTurns },
        orchestrator: [
          put('contract.md', helloContract),
          spawn('code --name doomed --clauses C1', 'Wait.'),
          ...remainingTurns,
        ],
      },
      async rig => {
        await rig.dispatch([helloTask])
        const { writeLock, worker } = rig.readSession().paths
        await rig.waitUntil(
          'the second worker waits',
          () => rig.readStatus().workers.find(({ name }) => name === 'hello')?.blockedBy === 'doomed',
        )
        assert.equal(fs.readFileSync(path.join(writeLock, 'holder'), 'utf8'), 'doomed\n')
        const findSleeps = () => rig.listProcesses().filter(({ command }) => command.startsWith('sleep 600'))
        for (let attempt = 1; attempt <= 3; attempt++) {
          await rig.waitUntil(`its claude runs, attempt ${attempt}`, () => findSleeps().length === 1)
          const { pid } = JSON.parse(fs.readFileSync(path.join(worker('doomed').folder, 'process.json'), 'utf8'))
          process.kill(pid, 'SIGKILL')
          const releases = () => rig.readEvents().filter(event => event.type === 'lock.released').length
          await rig.waitUntil('the lock is free', () => releases() === attempt)
        }
        assert.equal((await rig.dispatch(['wait'])).exitCode, 0)
        assert.deepEqual(findSleeps(), [], 'a process of the dead worker still runs')
        const tokens = rig.readEvents().flatMap(event => (event.type === 'lock.granted' ? [event.fencingToken] : []))
        assert.deepEqual(tokens, [1, 2, 3, 4])
      },
    ))

  it('temporary files may be on another disk', async t => {
    const folder = fs.existsSync('/dev/shm') ? fs.mkdtempSync('/dev/shm/dispatch-test-') : undefined
    if (folder === undefined || fs.statSync(folder).dev === fs.statSync(os.tmpdir()).dev)
      return t.skip('/dev/shm is no disk of its own here')
    try {
      await withRig(
        helloScenario,
        async rig => {
          const ran = await rig.dispatch([helloTask, '--wait'])
          assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        },
        { TMPDIR: folder },
      )
    } finally {
      fs.rmSync(folder, { recursive: true, force: true })
    }
  })

  it('a detached process of a worker ends with its worker', () =>
    withRig(
      {
        ...helloScenario,
        workers: {
          '*': [
            bash(`(setsid sh -c 'echo > .git/runs; sleep 601; echo late >> hello.sh' >/dev/null 2>&1 &)
              until [ -e .git/runs ]; do sleep 0.1; done`),
            ...honestWorkerTurns,
          ],
        },
      },
      async rig => {
        const ran = await rig.dispatch([helloTask, '--wait'])
        assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
        assert.ok(!rig.listProcesses().some(({ command }) => command.includes('sleep 601')), 'it still runs')
        assert.equal(fs.readFileSync(path.join(rig.readSession().paths.outputs, 'hello.sh'), 'utf8'), 'echo hello\n')
        assert.equal(rig.readStatus().verdict?.voidReason, undefined)
      },
    ))

  it('stop ends every process of its session and no others', () =>
    withRig(idleScenario, async rig => {
      await rig.dispatch(['the first one'])
      const first = rig.readSession().id
      await rig.dispatch(['the second one'])
      const second = rig.readSession().id
      assert.notEqual(first, second)
      const findAgents = (id: string) => findProcesses(id).filter(({ command }) => !command.startsWith('tmux')) // Both share one tmux server.
      assert.ok(findAgents(first).length > 0 && findAgents(second).length > 0)
      const ran = await rig.dispatch(['stop', first])
      assert.equal(ran.stdout, `stopped ${first}\n`)
      await rig.waitUntil('the first session has no processes', () => findAgents(first).length === 0)
      assert.ok(findAgents(second).some(({ command }) => command.includes('claude')))
      assert.match((await rig.dispatch(['ls'])).stdout, new RegExp(`planning +${second}[\\s\\S]*stopped +${first}`))
      assert.equal((await rig.dispatch(['stop', 'nonesuch'])).exitCode, 4)
    }))
})

describe('questions and notifications', { concurrency: 2 }, () => {
  it('a question ends the wait until it is answered at the terminal', () =>
    withRig(
      {
        ...helloScenario,
        orchestrator: [
          bash('ask "English or Portuguese?"'),
          say('I wait.'),
          heard => (heard.lastText.includes('English, please') ? put('contract.md', helloContract) : say('?')),
          ...remainingTurns,
        ],
      },
      async rig => {
        const asked = await rig.dispatch([helloTask, '--wait'])
        assert.equal(asked.exitCode, 12)
        assert.match(asked.stdout, /asking +English or Portuguese\?[\s\S]*dispatch attach/)
        await rig.waitUntil('its turn has ended', () => rig.readEvents().some(event => event.type === 'turn.ended'))
        await rig.typeMessage('English, please')
        await rig.waitUntil('the answer is recorded', () =>
          rig.readEvents().some(event => event.type === 'question.answered'),
        )
        const waited = await rig.dispatch(['wait'])
        assert.equal(waited.exitCode, 0, waited.stdout + JSON.stringify(rig.readEvents().slice(-8)))

        const findLast = (type: string) => rig.readEvents().findLastIndex(event => event.type === type)
        await rig.waitUntil('its last turn has ended', () => findLast('turn.ended') > findLast('verdict.given'))
        await rig.typeMessage('thank you')
        await rig.waitUntil(
          'the second message is recorded',
          () => rig.readEvents().filter(event => event.type === 'question.answered').length === 2,
        )
        await rig.waitUntil('that turn has ended', () => findLast('turn.ended') > findLast('question.answered'))
        await rig.waitForTick()
        assert.equal(rig.readStatus().phase, 'PASS')
        assert.equal((await rig.dispatch(['wait'])).exitCode, 0)
      },
      { RIG_CLAUDE: 'real' }, // The stand-in for claude has no input line.
    ))

  it('an idle session is on the page, and reported stuck once', async () => {
    const port = await findFreePort()
    await withRig(
      idleScenario,
      async rig => {
        const ran = await rig.dispatch(['look at me', '--json'])
        const { id, page } = JSON.parse(ran.stdout)
        const url = `http://127.0.0.1:${port}/s/${id}`
        assert.ok(page === url || page === null, `${page}: null if the page was not there within 5 s`)
        await rig.waitUntil('the page answers', () => fs.existsSync(path.join(rig.home, 'dispatch/web.json')))
        const shown = await fetch(url)
        assert.equal(shown.status, 200)
        assert.match(await shown.text(), /look at me/)

        await rig.waitUntil('it is stuck', () => rig.readStatus().isStuck)
        await rig.waitForTick()
        assert.equal(rig.readEvents().filter(event => event.type === 'orchestrator.stuck').length, 1)
        assert.match((await rig.dispatch(['ls'])).stdout, /^stuck/)
      },
      { WEBUI_PORT: String(port), WATCHDOG_TIMEOUT_SEC: '5' },
    )
  })
})

it('--help shows the everyday commands first', () =>
  withRig(idleScenario, async rig => {
    const { stdout, exitCode } = await rig.dispatch(['--help'])
    assert.equal(exitCode, 0)
    const everyday = stdout.split('Now and then')[0] ?? ''
    for (const name of ['"task"', 'ls', 'show', 'watch', 'attach', 'stop'])
      assert.ok(everyday.includes(`dispatch ${name}`), name)
  }))

it('each command has help', () =>
  withRig(idleScenario, async rig => {
    // One process for all of them: each start costs a tenth of a second.
    const program = `
      import { commandTable } from '#cli/commands/index.ts'
      import { runDispatch } from '#cli/dispatch.ts'
      for (const { name } of commandTable.commands)
        console.log('\\0' + name + '\\0' + await runDispatch([name, '--help']))`
    const args = ['--input-type=module', '--eval', program]
    const ran = await runProgram(process.execPath, args, { cwd: installFolder, env: rig.environment })
    assert.equal(ran.exitCode, 0, ran.stderr)
    const texts = ran.stdout.split('\n')
    for (const { name } of commandTable.commands) {
      assert.ok(texts.includes(`\0${name}\0${0}`), name)
      assert.ok(
        texts.some(line => line.startsWith(`usage: dispatch ${name}`)),
        name,
      )
    }
    const help = await rig.dispatch(['ls', '--help'])
    assert.equal(help.exitCode, 0)
    assert.match(help.stdout, /^usage: dispatch ls/)
  }))

it('unknown arguments are exit 2, without a stack trace', () =>
  withRig(idleScenario, async rig => {
    for (const args of [
      ['ls', 'foo'],
      ['wait', '--bogus'],
      ['show', '--x'],
      ['stop', '--y'],
      ['doctor', '--z'],
      ['show', 'one', 'two'],
      ['watch', 'one', 'two'],
      ['attach', 'one', 'two', 'three'],
    ]) {
      const ran = await rig.dispatch(args)
      assert.equal(ran.exitCode, 2, args.join(' '))
      assert.doesNotMatch(ran.stderr, /internal error|at .*\.ts/)
    }
  }))

it('without a session, ls is empty and other commands are exit 4', () =>
  withRig(idleScenario, async rig => {
    assert.equal((await rig.dispatch(['ls'])).exitCode, 0)
    assert.equal((await rig.dispatch(['ls', '--json'])).stdout, '[]\n')
    for (const name of ['show', 'watch', 'wait', 'attach']) {
      const ran = await rig.dispatch([name])
      assert.equal(ran.exitCode, 4, name)
      assert.match(ran.stderr, /no session/)
    }
    assert.equal((await rig.dispatch(['stop'])).exitCode, 2)
    const doctor = await rig.dispatch(['doctor'])
    assert.match(doctor.stdout, /ok +git/)
    assert.match(doctor.stdout, /ok +claude +\d+\.\d+\.\d+/)
  }))
