import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { listAncestors } from '#host/process'
import { openTmux } from '#host/tmux'
import { helloContract, helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, type ScriptedTurn, say, spawn } from '#rehearsal/scenario.ts'
import { runAtTerminal, runAtTerminalToEnd } from '../fixtures/person.ts'
import { entryPoint, helloScenario, type Rig, withRig } from '../fixtures/rig.ts'

/** What the orchestrator's model was sent so far. */
const heardBy = (rig: Rig) => rig.models.requests.filter(seen => seen.role === 'orchestrator').map(seen => seen.body)

const times = (rig: Rig, words: string) =>
  (heardBy(rig).at(-1) ?? '').split(JSON.stringify(words).slice(1, -1)).length - 1

const asks: ScriptedTurn[] = [bash('ask "English or Portuguese?"'), say('I wait.')]

/** It asks, and agrees to whatever is said then. */
const yes: ScriptedTurn[] = [...asks, ...Array.from({ length: 60 }, () => say('Yes.'))]

const turnEnded = (rig: Rig) =>
  rig.waitUntil('its turn has ended', () => rig.readEvents().some(event => event.type === 'turn.ended'), 20)

const listDeliveries = (rig: Rig) =>
  rig.readEvents().flatMap(event => (event.type === 'message.delivered' ? [event.delivery] : []))

describe('a human’s word arrives, once and whole', { concurrency: 2 }, () => {
  it('while nothing runs it begins a turn, answers the question, and the work goes on to its verdict; an agent’s is refused', () =>
    withRig(
      {
        ...helloScenario,
        orchestrator: [
          bash(`sh ${entryPoint} say "$DISPATCH_SESSION" "all is well" 2>&1; echo exit $?`),
          ...asks,
          heard => (heard.lastText.includes('English, please') ? put('contract.md', helloContract) : say('?')),
          ...remainingTurns,
        ],
      },
      async rig => {
        await rig.dispatch([helloTask])
        await turnEnded(rig)
        assert.match(heardBy(rig).at(-1) ?? '', /belongs to an agent: DISPATCH_SESSION is set in its environment/)
        assert.match(heardBy(rig).at(-1) ?? '', /exit 5/)
        assert.deepEqual(listDeliveries(rig), [])

        const ran = await rig.dispatch(['say', rig.readSession().id.slice(-4), 'English,', 'please'])
        assert.equal(ran.exitCode, 0, ran.stderr)
        assert.match(ran.stdout, /^Delivered: it began a turn\.\n$/)
        await rig.waitUntil(
          'it is an answer',
          () => rig.readEvents().some(event => event.type === 'question.answered'),
          20,
        )
        assert.deepEqual(listDeliveries(rig), ['began a turn'])
        assert.equal((await rig.dispatch(['wait'])).exitCode, 0)
      },
    ))

  it('while a tool runs it joins the turn, and waiting for workers ends at once for it', () => {
    const slow = { '*': [bash('sleep 25'), ...honestWorkerTurns] as ScriptedTurn[] }
    const orchestrator: ScriptedTurn[] = [
      put('contract.md', helloContract),
      spawn('code --name hello --clauses C1', 'Write hello.sh.'),
      bash('wait-workers'),
      heard => say(heard.lastText.includes('A message from the human') ? 'I read it.' : 'no message came'),
      bash('wait-workers'),
      bash('submit'),
    ]
    return withRig({ ...helloScenario, workers: slow, orchestrator }, async rig => {
      await rig.dispatch([helloTask])
      await rig.waitUntil('the worker works', () => rig.readStatus().workers[0]?.startedAt, 60)
      await rig.waitUntil('the orchestrator waits', () => heardBy(rig).length >= 3, 20)
      const ran = await rig.dispatch(['say', rig.readSession().id, 'hurry\nup'])
      assert.equal(ran.exitCode, 0, ran.stderr)
      assert.match(ran.stdout, /it joined the running turn/)
      assert.deepEqual(listDeliveries(rig), ['joined the running turn'])
      await rig.waitUntil('it is read before the worker has ended', () => times(rig, 'hurry\nup') === 1, 10)
      assert.equal(rig.readStatus().workers[0]?.endedAt, undefined)
    })
  })

  it('one session hears many words', test =>
    withRig({ ...helloScenario, orchestrator: yes }, async rig => {
      await rig.dispatch([helloTask])
      await turnEnded(rig)
      const { id, paths } = rig.readSession()
      const kept = () => fs.readdirSync(paths.messages).filter(name => name.endsWith('.json')).length

      await test.test('several at once arrive one after the other, each once', async () => {
        const words = ['alpha-one', 'beta-two', 'gamma-three']
        const ran = await Promise.all(words.map(word => rig.dispatch(['say', id, word])))
        assert.deepEqual(
          ran.map(({ exitCode }) => exitCode),
          [0, 0, 0],
          ran.map(({ stderr }) => stderr).join(),
        )
        await rig.waitUntil('all are heard', () => words.every(word => times(rig, word) === 1), 20)
      })

      const title =
        'whatever is in it: quotes, backticks, a slash or a bang in front, emoji, an @path at its end, 64 KiB'
      await test.test(title, async () => {
        const before = { heard: times(rig, 'A message from the human:'), kept: kept() }
        const words = [
          '/exit',
          `!touch ${rig.home}/banged`,
          '#note',
          `"quotes" 'more' \`touch ${rig.home}/banged\`; $(touch ${rig.home}/banged) $HOME \\ ; #{pid} %1\n\n\tline three;\n- four`,
          'olá 👋🏽 👩‍👩‍👧 é ﬁ 漢字',
          'look at @/etc/ho',
          Array.from({ length: 1600 }, (_, at) => `line ${at} of many, said at once`)
            .join('\n')
            .padEnd(65_536, 'x'),
        ]
        for (const text of words) {
          const ran = await rig.dispatch(['say', id, '-'], { input: text })
          assert.equal(ran.exitCode, 0, `${text.slice(0, 40)}: ${ran.stderr}`)
          assert.doesNotMatch(ran.stdout, /changed some of its characters/, text.slice(0, 40))
        }
        await rig.waitUntil('all are heard', () => times(rig, 'of many, said at once') >= 1600, 20)
        const last = heardBy(rig).at(-1) ?? ''
        for (const text of words.slice(0, 6))
          for (const line of text.split('\n').filter(each => each.trim() !== ''))
            assert.ok(last.includes(JSON.stringify(line.trim()).slice(1, -1)), `${line} was not heard`)
        assert.equal(times(rig, 'A message from the human:') - before.heard, words.length, 'a word was heard twice')
        assert.ok(!fs.existsSync(path.join(rig.home, 'banged')), 'a word was run')
        assert.equal(kept() - before.kept, words.length)
      })

      await test.test(
        'a runner that dies over it types it no second time: its successor says whether it arrived',
        async () => {
          const marked = () => fs.readdirSync(paths.messages).filter(name => name.endsWith('.pasted'))
          const before = new Set(marked())
          const saying = rig.dispatch(['say', id, 'only once'])
          await rig.waitUntil('it is marked', () => marked().some(name => !before.has(name)), 20)
          const runner = rig.readEvents().findLast(event => event.type === 'runner.started')
          process.kill(runner?.type === 'runner.started' ? runner.pid : 0, 'SIGKILL')
          const ran = await saying
          assert.ok(
            ran.exitCode === 0 || (ran.exitCode === 124 && /unknown: .*may have arrived/.test(ran.stderr)),
            ran.stderr,
          )
          await new Promise(resolve => setTimeout(resolve, 2000))
          assert.ok(times(rig, 'only once') <= 1, 'it was heard twice')
          if (ran.exitCode === 0) assert.equal(times(rig, 'only once'), 1)
          assert.equal(rig.readEvents().filter(event => event.type === 'runner.started').length, 2)
        },
      )
    }))
})

it('a word that cannot arrive is refused, and why', test =>
  withRig({ ...helloScenario, orchestrator: yes }, async rig => {
    await rig.dispatch([helloTask])
    await turnEnded(rig)
    const { id } = rig.readSession()

    await test.test('bytes that are no words, and a session that is not there', async () => {
      for (const [words, why] of [
        [['say', id, ''], /message is empty/],
        [['say', id], /message is empty/],
        [['say', id, 'a\u001b[201~b'], /control character U\+001B/],
        [['say', id, 'x', '--timeout', 'long'], /whole seconds/],
        [['say', id, '--file', '/nonesuch'], /cannot be read/],
      ] as const) {
        const ran = await rig.dispatch([...words])
        assert.equal(ran.exitCode, 2, ran.stderr)
        assert.match(ran.stderr, why)
      }
      assert.equal((await rig.dispatch(['say', id, '-'], { input: 'x\0y' })).exitCode, 2)
      assert.equal((await rig.dispatch(['say', id, '-'], { input: 'x'.repeat(1024 * 1024 + 1) })).exitCode, 2)
      assert.equal((await rig.dispatch(['say', 'nonesuch', 'x'])).exitCode, 4)
    })

    const title =
      'it is held while a menu is open or somebody types, goes on when it is free, and names what stayed open'
    await test.test(title, async () => {
      await new Promise(resolve => setTimeout(resolve, 1000))
      await rig.sendKeys('-l', '/config')
      await new Promise(resolve => setTimeout(resolve, 700))
      await rig.sendKeys('Enter')
      await new Promise(resolve => setTimeout(resolve, 1500))
      const refused = await rig.dispatch(['say', id, 'not now', '--timeout', '2'])
      assert.equal(refused.exitCode, 124, refused.stdout)
      assert.match(refused.stderr, /a menu is open: ".*"/)
      assert.equal(rig.readEvents().filter(event => event.type === 'message.rejected').length, 1)

      const held = rig.dispatch(['say', id, 'when it is free'])
      await new Promise(resolve => setTimeout(resolve, 2500))
      assert.equal(listDeliveries(rig).length, 0)
      for (const key of ['Escape', 'Escape']) await rig.sendKeys(key).then(() => new Promise(go => setTimeout(go, 600)))
      const ran = await held
      assert.equal(ran.exitCode, 0, ran.stderr)

      await new Promise(resolve => setTimeout(resolve, 1500))
      await rig.sendKeys('-l', 'half a thought')
      await new Promise(resolve => setTimeout(resolve, 500))
      const taken = await rig.dispatch(['say', id, 'behind it', '--timeout', '1'])
      assert.match(taken.stderr, /text that was not sent/)
      assert.equal(times(rig, 'not now') + times(rig, 'behind it'), 0)
    })

    await test.test('an orchestrator that is gone, a session that is closed', async () => {
      const claude = rig.listProcesses().find(({ command }) => /claude .*--session-id/.test(command))
      process.kill(claude?.pid ?? 0, 'SIGKILL')
      const gone = await rig.dispatch(['say', id, 'hello?'])
      assert.equal(gone.exitCode, 5, gone.stdout + gone.stderr)
      assert.match(gone.stderr, /not delivered: the orchestrator is gone/)

      await rig.dispatch(['stop', id])
      const closed = await rig.dispatch(['say', id, 'hello?'])
      assert.equal(closed.exitCode, 5)
      assert.match(closed.stderr, /was closed by you: dispatch stop/)
    })
  }))

const approving: ScriptedTurn[] = [
  put('contract.md', helloContract),
  spawn('code --name hello --clauses C1', 'Write hello.sh: it prints hello.'),
  say('The contract waits for you.'),
]

const waitsForYes = (rig: Rig) =>
  rig.waitUntil('it asks for approval', () => rig.readStatus().approval?.state === 'asked', 60)

describe('--approve: nothing is built before a person has said yes', { concurrency: 2 }, () => {
  it('the session stops after the contract; the typed letters seal exactly that text; it goes on to its verdict', () =>
    withRig(
      {
        ...helloScenario,
        orchestrator: [
          ...approving,
          heard =>
            heard.lastText.includes('has approved the contract')
              ? (remainingTurns[0] as ReturnType<typeof say>)
              : say('?'),
          ...remainingTurns.slice(1),
        ],
      },
      async rig => {
        const ran = await rig.dispatch([helloTask, '--approve', '--wait'])
        assert.equal(ran.exitCode, 12, ran.stdout + ran.stderr)
        const { id } = rig.readSession()
        assert.match(
          ran.stdout,
          new RegExp(`asking +Approve the contract\\?[\\s\\S]*approve  dispatch approve ${id.slice(-4)}`),
        )
        assert.match((await rig.dispatch(['show'])).stdout, new RegExp(`approve +dispatch approve ${id.slice(-4)}`))
        assert.equal(rig.readStatus().workers.length, 0)
        await rig.waitUntil(
          'the push',
          () =>
            rig
              .readEvents()
              .some(event => event.type === 'notification.queued' && event.eventType === 'approval.requested'),
          15,
        )

        const wrong = await runAtTerminalToEnd(rig, ['approve', id], 'nope')
        assert.match(wrong, /Not approved, and nothing has changed[\s\S]*EXIT 5/)
        assert.equal(rig.readStatus().approval?.state, 'asked')

        const shown = await runAtTerminalToEnd(rig, ['approve', id], id.slice(-4))
        assert.match(shown, /C1 +Running hello\.sh prints hello/)
        assert.match(shown, /check +sh hello\.sh[\s\S]*before the work: red/)
        assert.match(shown, /scope +hello\.sh/)
        assert.match(shown, /Approved and delivered: it began a turn\.[\s\S]*EXIT 0/)
        const waited = await rig.dispatch(['wait'])
        assert.equal(waited.exitCode, 0, waited.stdout + JSON.stringify(rig.readEvents().slice(-8)))
        const approved = rig.readEvents().find(event => event.type === 'contract.approved')
        const sealed = rig.readEvents().find(event => event.type === 'contract.sealed')
        assert.ok(approved?.type === 'contract.approved' && sealed?.type === 'contract.sealed')
        assert.equal(approved.sha256, sealed.sha256)
        const again = await runAtTerminalToEnd(rig, ['approve', id])
        assert.match(again, /is not waiting for approval: its contract is already sealed[\s\S]*EXIT 5/)
      },
    ))

  it('one session is asked about twice', test =>
    withRig(
      {
        ...helloScenario,
        orchestrator: [
          ...approving,
          heard =>
            heard.lastText.includes('say good morning')
              ? put('contract.md', helloContract.replace('prints hello\n', 'prints good morning\n'))
              : say('?'),
          spawn('code --name hello --clauses C1', 'Write hello.sh.'),
          say('It waits again.'),
        ],
      },
      async rig => {
        await rig.dispatch([helloTask, '--approve'])
        await waitsForYes(rig)
        await turnEnded(rig)
        const { id, paths } = rig.readSession()

        await test.test('an input that is no terminal says no yes', async () => {
          const clean = { CLAUDECODE: '' }
          const ran = await rig.dispatch(['approve', id], { input: `${id.slice(-4)}\n`, env: clean })
          assert.equal(ran.exitCode, 5)
          assert.match(ran.stderr, /an agent cannot approve|approving needs a terminal/)
          assert.equal(rig.readStatus().approval?.state, 'asked')
        })

        await test.test(
          '--no sends it back with the reason; the next text is asked about anew, as a diff',
          async () => {
            const back = await runAtTerminalToEnd(rig, ['approve', id, '--no', 'it should say good morning'])
            assert.match(back, /Sent back: it began a turn[\s\S]*EXIT 0/)
            await rig.waitUntil(
              'it asks again',
              () => rig.readEvents().filter(event => event.type === 'approval.requested').length === 2,
              30,
            )
            const shown = await runAtTerminalToEnd(rig, ['approve', id], 'nope')
            assert.match(
              shown,
              /Changes since you were last asked[\s\S]*-## C1 — Running hello\.sh prints hello[\s\S]*\+## C1 — Running hello\.sh prints good morning/,
            )
          },
        )

        await test.test('a draft that was changed after it was shown is not approved', async () => {
          const human = await runAtTerminal(rig, ['approve', id])
          try {
            await human.until(/to continue: /)
            fs.appendFileSync(path.join(paths.orchestratorFolder, 'contract.md'), '\n## C9 — Weaker\n- judged\n')
            await human.type(id.slice(-4))
            assert.match(
              await human.until(/EXIT \d/),
              /the orchestrator has changed contract\.md since it asked[\s\S]*EXIT 5/,
            )
          } finally {
            await human.close()
          }
          assert.equal(rig.readStatus().approval?.state, 'asked')
          assert.equal(rig.readStatus().contract, undefined)
        })
      },
    ))
})

describe('an agent cannot approve, however it tries', { concurrency: 2 }, () => {
  const notLinux = process.platform !== 'linux' // `script` is another program there, and open files are not to be seen.

  interface Attack {
    by: string
    command(rig: Rig): string
    /** What its command has printed, in the end. */
    answer: RegExp[]
  }

  /** One orchestrator does all of these in a row, once it has asked; each is judged by what it alone was answered. */
  async function tries(test: TestContext, attacks: Attack[]): Promise<void> {
    const box: { rig?: Rig } = {}
    const answered: string[] = []
    const waits = 'while ! grep -q approval.requested ../events.jsonl; do sleep 0.2; done'
    const turns = attacks.map(
      ({ command }, at): ScriptedTurn =>
        heard => {
          if (at > 0) answered[at - 1] = heard.lastText
          return box.rig ? bash(`${waits}; ${command(box.rig)}; echo tried`) : say('?')
        },
    )
    const last: ScriptedTurn = heard => {
      answered[attacks.length - 1] = heard.lastText
      return say('done')
    }
    await withRig({ ...helloScenario, orchestrator: [...approving.slice(0, 2), ...turns, last] }, async rig => {
      box.rig = rig
      await rig.dispatch([helloTask, '--approve'])
      for (const [at, { by, answer }] of attacks.entries())
        await test.test(by, async () => {
          const heard = await rig.waitUntil('it has tried', () => answered[at], 90)
          assert.match(heard, /tried/)
          for (const words of answer) assert.match(heard, words)
          await new Promise(resolve => setTimeout(resolve, 1000))
          assert.ok(
            !rig.readEvents().some(event => event.type === 'contract.approved' || event.type === 'contract.sealed'),
          )
        })
    })
  }

  it('from its Bash, and with a terminal of its own', test =>
    tries(test, [
      {
        by: 'from its Bash: its environment tells',
        command: () => `sh ${entryPoint} approve "$DISPATCH_SESSION" 2>&1; echo exit $?`,
        answer: [
          /an agent cannot approve: (DISPATCH_SESSION|DISPATCH_ROLE|CLAUDECODE) is set in its environment/,
          /exit 5/,
        ],
      },
      ...(notLinux
        ? []
        : [
            {
              by: 'with a pty and an environment of its own: its ancestors tell',
              command: (rig: Rig) =>
                `id=$DISPATCH_SESSION; (sleep 3; echo \${id##*-}) | env -i PATH="$PATH" HOME="$HOME" DISPATCH_HOME=${rig.home}/dispatch script -qec "sh ${entryPoint} approve $id" /dev/null 2>&1`,
              answer: [/an agent cannot approve/],
            },
            {
              by: 'a file left by hand, in the name of a living process of the person: that process does not have it open',
              command: (rig: Rig) => {
                const word = `{kind:"approve",sha256:s,sender:{pid:${process.pid},startTime:fs.readFileSync("/proc/${process.pid}/stat","utf8").split(") ")[1].split(" ")[19],bootId:fs.readFileSync("/proc/sys/kernel/random/boot_id","utf8").trim(),name:"root"},deadline:new Date(Date.now()+9e4).toISOString()}`
                const code = `const fs=require("fs");const s=/contract-([0-9a-f]{64})/.exec(fs.readdirSync("../messages").join())[1];fs.writeFileSync("../messages/"+Date.now()+"-000-deadbeef.json",JSON.stringify(${word}))`
                return `node -e '${code}'; sleep 5; cat ../messages/*deadbeef.reply; : ${rig.home}`
              },
              answer: [/it was sent by another process than it names/],
            },
          ]),
    ]))

  it('orphaned, with a clean environment and a pty of its own', async test => {
    if (process.platform !== 'linux' || (await listAncestors(process.pid))[0]?.hasNoNewPrivileges)
      return test.skip('no mark of the kernel here')
    await tries(test, [
      {
        by: 'the kernel tells (Linux)',
        command: rig =>
          `id=$DISPATCH_SESSION; printf '%s\\n' '(sleep 4; echo '\${id##*-}'; sleep 6) | script -qec "sh ${entryPoint} approve '$id'" ${rig.home}/seen' > ${rig.home}/attack.sh; (env -i PATH="$PATH" HOME="$HOME" DISPATCH_HOME=${rig.home}/dispatch setsid sh ${rig.home}/attack.sh >/dev/null 2>&1 &); sleep 12; cat ${rig.home}/seen`,
        answer: [/an agent cannot approve: an agent of this session started it \(no_new_privs is set\)/],
      },
    ])
    return undefined
  })

  it('in a terminal of dispatch itself', () =>
    withRig({ ...helloScenario, orchestrator: approving }, async rig => {
      await rig.dispatch([helloTask, '--approve'])
      await waitsForYes(rig)
      const { socket } = openTmux(path.join(rig.home, 'dispatch'))
      const { id } = rig.readSession()
      const line = `sh ${entryPoint} approve ${id} > ${rig.home}/seen 2>&1; echo "exit $?" >> ${rig.home}/seen`
      await runProgram('tmux', [
        '-L',
        socket,
        'new-window',
        '-d',
        '-t',
        `=dispatch-${id}:`,
        '/bin/sh',
        '-c',
        `${line}; sleep 5`,
      ])
      const seen = await rig.waitUntil('it has tried', () => {
        const text = fs.existsSync(`${rig.home}/seen`) ? fs.readFileSync(`${rig.home}/seen`, 'utf8') : ''
        return text.includes('exit') && text
      })
      assert.match(
        seen,
        /an agent cannot approve: it runs in \/dev\/pts\/\d+, a terminal that dispatch opened[\s\S]*exit 5/,
      )
    }))
})
