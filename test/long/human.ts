/** What only a human may do: send a message, and approve a contract. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { identify, listAncestors } from '#host/process'
import { openTmux } from '#host/tmux'
import { helloContract, helloTask, honestWorkerTurns, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, type ScriptedTurn, say, spawn } from '#rehearsal/scenario.ts'
import { readMessageReply, storeMessage } from '#runner/messages/store.ts'
import { entryPoint, helloScenario, type Rig, withPhone, withRig } from '../fixtures/rig.ts'
import { runAtTerminal, runAtTerminalToEnd } from '../fixtures/run-at-terminal.ts'

/** The requests of the orchestrator's model so far. */
const listRequests = (rig: Rig) =>
  rig.models.requests.filter(({ role }) => role === 'orchestrator').map(({ body }) => body)

/** How often a text is in the newest of them, which repeats all earlier ones. */
const countText = (rig: Rig, text: string) =>
  (listRequests(rig).at(-1) ?? '').split(JSON.stringify(text).slice(1, -1)).length - 1

const askTurns: ScriptedTurn[] = [bash('ask "English or Portuguese?"'), say('I wait.')]

/** It asks, and then agrees to everything. */
const agreeingTurns: ScriptedTurn[] = [...askTurns, ...Array.from({ length: 60 }, () => say('Yes.'))]

const waitForTurnEnd = (rig: Rig) =>
  rig.waitUntil('its turn has ended', () => rig.readEvents().some(event => event.type === 'turn.ended'))

const listDeliveries = (rig: Rig) =>
  rig.readEvents().flatMap(event => (event.type === 'message.delivered' ? [event.delivery] : []))

describe('a message arrives once and whole', { concurrency: 2 }, () => {
  it('after a turn it begins the next one; an agent may not send one', () =>
    withRig(
      {
        ...helloScenario,
        orchestrator: [
          bash(`sh ${entryPoint} say "$DISPATCH_SESSION" "all is well" 2>&1; echo exit $?`),
          ...askTurns,
          context => (context.lastText.includes('English, please') ? put('contract.md', helloContract) : say('?')),
          ...remainingTurns,
        ],
      },
      async rig => {
        await rig.dispatch([helloTask])
        await waitForTurnEnd(rig)
        assert.match(listRequests(rig).at(-1) ?? '', /belongs to an agent: DISPATCH_SESSION is set in its environment/)
        assert.match(listRequests(rig).at(-1) ?? '', /exit 5/)
        assert.deepEqual(listDeliveries(rig), [])

        const ran = await rig.dispatch(['say', rig.readSession().id.slice(-4), 'English,', 'please'])
        assert.equal(ran.exitCode, 0, ran.stderr)
        assert.match(ran.stdout, /^Delivered: it began a turn\.\n$/)
        await rig.waitUntil('it is an answer', () => rig.readEvents().some(event => event.type === 'question.answered'))
        assert.deepEqual(listDeliveries(rig), ['began a turn'])
        assert.equal((await rig.dispatch(['wait'])).exitCode, 0)
      },
    ))

  it('during a turn it joins the turn, and ends the wait for workers', () => {
    const slow = { '*': [bash('sleep 600'), ...honestWorkerTurns] as ScriptedTurn[] }
    const orchestrator: ScriptedTurn[] = [
      put('contract.md', helloContract),
      spawn('code --name hello --clauses C1', 'Write hello.sh.'),
      bash('wait-workers'),
      context => say(context.lastText.includes('A message from the human') ? 'I read it.' : 'no message came'),
      bash('wait-workers'),
      bash('submit'),
    ]
    return withRig({ ...helloScenario, workers: slow, orchestrator }, async rig => {
      await rig.dispatch([helloTask])
      await rig.waitUntil('the worker works', () => rig.readStatus().workers[0]?.startedAt)
      await rig.waitUntil('the orchestrator waits', () => listRequests(rig).length >= 3)
      const ran = await rig.dispatch(['say', rig.readSession().id, 'hurry\nup'])
      assert.equal(ran.exitCode, 0, ran.stderr)
      assert.match(ran.stdout, /it joined the running turn/)
      assert.deepEqual(listDeliveries(rig), ['joined the running turn'])
      await rig.waitUntil('it is read before the worker has ended', () => countText(rig, 'hurry\nup') === 1)
      assert.equal(rig.readStatus().workers[0]?.endedAt, undefined)
    })
  })

  it('what another session has landed joins the turn, once', () => {
    const slow = { '*': [bash('sleep 600'), ...honestWorkerTurns] as ScriptedTurn[] }
    const orchestrator: ScriptedTurn[] = [
      put('contract.md', helloContract),
      spawn('code --name hello --clauses C1', 'Write hello.sh.'),
      bash('sleep 5'),
      ...Array.from({ length: 3 }, () => bash('wait-workers')),
    ]
    return withRig({ ...helloScenario, workers: slow, orchestrator }, async rig => {
      await rig.dispatch([helloTask])
      await rig.waitUntil('the worker works', () => rig.readStatus().workers[0]?.startedAt)
      const session = rig.readSession()
      const identity = await identify(process.pid)
      assert.ok(identity)
      const tell = () =>
        storeMessage(session, {
          ...{ kind: 'overlap', session: 'another-one-abcd', branch: 'main', files: ['hello.sh'] },
          ...{ deadline: new Date(Date.now() + 600_000).toISOString(), sender: { ...identity, name: 'dispatch' } },
        })
      const isRead = () => countText(rig, 'Another session (another-one-abcd) has landed on main.') === 1
      tell()
      await rig.waitUntil('it is read', isRead)
      const second = tell()
      await rig.waitUntil('the second is answered', () => readMessageReply(session, second))
      const overlaps = rig.readEvents().filter(({ type }) => type === 'landing.overlapped')
      assert.equal(overlaps.length, 1)
      assert.deepEqual(listDeliveries(rig), [], 'it is no message of a person')
      assert.ok(isRead())
    })
  })

  it('many messages to one session', test =>
    withRig({ ...helloScenario, orchestrator: agreeingTurns }, async rig => {
      await rig.dispatch([helloTask])
      await waitForTurnEnd(rig)
      const { id, paths } = rig.readSession()
      const countStored = () => fs.readdirSync(paths.messages).filter(name => name.endsWith('.json')).length

      await test.test('several at once arrive one after the other', async () => {
        const messages = ['alpha-one', 'beta-two', 'gamma-three']
        const ran = await Promise.all(messages.map(message => rig.dispatch(['say', id, message])))
        assert.deepEqual(
          ran.map(({ exitCode }) => exitCode),
          [0, 0, 0],
          ran.map(({ stderr }) => stderr).join(),
        )
        await rig.waitUntil('all have arrived', () => messages.every(message => countText(rig, message) === 1))
      })

      await test.test('any text: quotes, a slash or a bang in front, emoji, an @path, 64 KiB', async () => {
        const before = { received: countText(rig, 'A message from the human:'), stored: countStored() }
        const messages = [
          '/exit',
          `!touch ${rig.home}/banged`,
          '#note',
          `"quotes" 'more' \`touch ${rig.home}/banged\`; $(touch ${rig.home}/banged) $HOME \\ ; #{pid} %1\n\n\tline three;\n- four`,
          'olá 👋🏽 👩‍👩‍👧 é ﬁ 漢字',
          'look at @/etc/ho',
          Array.from({ length: 1600 }, (_, index) => `line ${index} of many, sent at once`)
            .join('\n')
            .padEnd(65_536, 'x'),
        ]
        for (const text of messages) {
          const ran = await rig.dispatch(['say', id, '-'], { input: text })
          assert.equal(ran.exitCode, 0, `${text.slice(0, 40)}: ${ran.stderr}`)
          assert.doesNotMatch(ran.stdout, /changed some of its characters/, text.slice(0, 40))
        }
        await rig.waitUntil('all have arrived', () => countText(rig, 'of many, sent at once') >= 1600)
        const last = listRequests(rig).at(-1) ?? ''
        for (const text of messages.slice(0, 6))
          for (const line of text.split('\n').filter(part => part.trim() !== ''))
            assert.ok(last.includes(JSON.stringify(line.trim()).slice(1, -1)), `${line} did not arrive`)
        assert.equal(countText(rig, 'A message from the human:') - before.received, messages.length)
        assert.ok(!fs.existsSync(path.join(rig.home, 'banged')), 'a message was run as a command')
        assert.equal(countStored() - before.stored, messages.length)
      })

      await test.test('when the runner dies meanwhile, the next one does not type it again', async () => {
        const listPasted = () => fs.readdirSync(paths.messages).filter(name => name.endsWith('.pasted'))
        const before = new Set(listPasted())
        const saying = rig.dispatch(['say', id, 'only once'])
        await rig.waitUntil('it is being pasted', () => listPasted().some(name => !before.has(name)))
        const runner = rig.readEvents().findLast(event => event.type === 'runner.started')
        process.kill(runner?.type === 'runner.started' ? runner.pid : 0, 'SIGKILL')
        const ran = await saying
        assert.ok(
          ran.exitCode === 0 || (ran.exitCode === 124 && /unknown: .*may have arrived/.test(ran.stderr)),
          ran.stderr,
        )
        await new Promise(resolve => setTimeout(resolve, 2000))
        assert.ok(countText(rig, 'only once') <= 1, 'it arrived twice')
        if (ran.exitCode === 0) assert.equal(countText(rig, 'only once'), 1)
        assert.equal(rig.readEvents().filter(event => event.type === 'runner.started').length, 2)
      })
    }))
})

it('a message that cannot arrive is rejected with the reason', test =>
  withRig({ ...helloScenario, orchestrator: agreeingTurns }, async rig => {
    await rig.dispatch([helloTask])
    await waitForTurnEnd(rig)
    const { id } = rig.readSession()

    await test.test('invalid text or options, an unknown session', async () => {
      for (const [args, reason] of [
        [['say', id, ''], /message is empty/],
        [['say', id], /message is empty/],
        [['say', id, 'a\u001b[201~b'], /control character U\+001B/],
        [['say', id, 'x', '--timeout', 'long'], /whole seconds/],
        [['say', id, '--file', '/nonesuch'], /does not exist/],
      ] as const) {
        const ran = await rig.dispatch([...args])
        assert.equal(ran.exitCode, 2, ran.stderr)
        assert.match(ran.stderr, reason)
      }
      assert.equal((await rig.dispatch(['say', id, '-'], { input: 'x\0y' })).exitCode, 2)
      assert.equal((await rig.dispatch(['say', id, '-'], { input: 'x'.repeat(1024 * 1024 + 1) })).exitCode, 2)
      assert.equal((await rig.dispatch(['say', 'nonesuch', 'x'])).exitCode, 4)
    })

    await test.test('it waits while a menu is open or a person types', async () => {
      await new Promise(resolve => setTimeout(resolve, 1000))
      await rig.sendKeys('-l', '/config')
      await new Promise(resolve => setTimeout(resolve, 700))
      await rig.sendKeys('Enter')
      await new Promise(resolve => setTimeout(resolve, 1500))
      const refused = await rig.dispatch(['say', id, 'not now', '--timeout', '2'])
      assert.equal(refused.exitCode, 124, refused.stdout)
      assert.match(refused.stderr, /a menu is open: ".*"/)
      assert.equal(rig.readEvents().filter(event => event.type === 'message.rejected').length, 1)

      const waiting = rig.dispatch(['say', id, 'when it is free'])
      await new Promise(resolve => setTimeout(resolve, 2500))
      assert.equal(listDeliveries(rig).length, 0)
      for (const key of ['Escape', 'Escape'])
        await rig.sendKeys(key).then(() => new Promise(resolve => setTimeout(resolve, 600)))
      const ran = await waiting
      assert.equal(ran.exitCode, 0, ran.stderr)

      await new Promise(resolve => setTimeout(resolve, 1500))
      await rig.sendKeys('-l', 'half a thought')
      await new Promise(resolve => setTimeout(resolve, 500))
      const blocked = await rig.dispatch(['say', id, 'behind it', '--timeout', '1'])
      assert.match(blocked.stderr, /text that was not sent/)
      assert.equal(countText(rig, 'not now') + countText(rig, 'behind it'), 0)
    })

    await test.test('an orchestrator that has ended takes it up again; a closed session does not', async () => {
      const claude = rig.listProcesses().find(({ command }) => /claude .*--session-id/.test(command))
      process.kill(claude?.pid ?? 0, 'SIGKILL')
      const resumed = await rig.dispatch(['say', id, 'hello?'])
      assert.equal(resumed.exitCode, 0, resumed.stdout + resumed.stderr)
      assert.match(resumed.stdout, /began a turn/)

      await rig.dispatch(['stop', id])
      const closed = await rig.dispatch(['say', id, 'hello?'])
      assert.equal(closed.exitCode, 5)
      assert.match(closed.stderr, /was closed by you: dispatch stop\n.*dispatch resume/)
    })
  }))

const approvalTurns: ScriptedTurn[] = [
  put('contract.md', helloContract),
  spawn('code --name hello --clauses C1', 'Write hello.sh: it prints hello.'),
  say('The contract waits for you.'),
]

const waitForApprovalRequest = (rig: Rig) =>
  rig.waitUntil('it asks for approval', () => rig.readStatus().approval?.state === 'asked')

describe('--approve: no work before a person has approved the contract', { concurrency: 2 }, () => {
  it('the typed letters seal exactly the contract that was shown', () =>
    withRig(
      {
        ...helloScenario,
        orchestrator: [
          ...approvalTurns,
          context =>
            context.lastText.includes('has approved the contract')
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
        await rig.waitUntil('the push', () =>
          rig
            .readEvents()
            .some(event => event.type === 'notification.queued' && event.eventType === 'approval.requested'),
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
      withPhone,
    ))

  it('one session asks for approval twice', test =>
    withRig(
      {
        ...helloScenario,
        orchestrator: [
          ...approvalTurns,
          context =>
            context.lastText.includes('say good morning')
              ? put('contract.md', helloContract.replace('prints hello\n', 'prints good morning\n'))
              : say('?'),
          spawn('code --name hello --clauses C1', 'Write hello.sh.'),
          say('It waits again.'),
        ],
      },
      async rig => {
        await rig.dispatch([helloTask, '--approve'])
        await waitForApprovalRequest(rig)
        await waitForTurnEnd(rig)
        const { id, paths } = rig.readSession()

        await test.test('without a terminal nothing is approved', async () => {
          const clean = { CLAUDECODE: '' }
          const ran = await rig.dispatch(['approve', id], { input: `${id.slice(-4)}\n`, env: clean })
          assert.equal(ran.exitCode, 5)
          assert.match(ran.stderr, /an agent cannot approve|approving needs a terminal/)
          assert.equal(rig.readStatus().approval?.state, 'asked')
        })

        await test.test('--no sends it back with the reason; the next draft is shown as a diff', async () => {
          const back = await runAtTerminalToEnd(rig, ['approve', id, '--no', 'it should say good morning'])
          assert.match(back, /Sent back: it began a turn[\s\S]*EXIT 0/)
          await rig.waitUntil(
            'it asks again',
            () => rig.readEvents().filter(event => event.type === 'approval.requested').length === 2,
          )
          const shown = await runAtTerminalToEnd(rig, ['approve', id], 'nope')
          assert.match(
            shown,
            /Changes since you were last asked[\s\S]*-## C1 — Running hello\.sh prints hello[\s\S]*\+## C1 — Running hello\.sh prints good morning/,
          )
        })

        await test.test('a draft that was changed after it was shown is not approved', async () => {
          const human = await runAtTerminal(rig, ['approve', id])
          try {
            await human.until(/to continue: /)
            fs.appendFileSync(path.join(paths.orchestratorFolder, 'contract.md'), '\n## C9 — Weaker\n- judged\n')
            await human.type(id.slice(-4))
            assert.match(
              await human.until(/EXIT \d/),
              /the orchestrator has changed contract\.md since you were asked[\s\S]*EXIT 5/,
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

describe('an agent cannot approve', { concurrency: 2 }, () => {
  const notLinux = process.platform !== 'linux' // `script` is another program there, and open files cannot be listed.

  interface Attack {
    title: string
    command(rig: Rig): string
    /** What the command must print. */
    output: RegExp[]
  }

  /** One orchestrator runs all attacks in a row, once it waits for approval. Each is checked by its own output. */
  async function runAttacks(test: TestContext, attacks: Attack[]): Promise<void> {
    const opened: { rig?: Rig } = {}
    const outputs: string[] = []
    const waitForRequest = 'while ! grep -q approval.requested ../events.jsonl; do sleep 0.2; done'
    const turns = attacks.map(
      ({ command }, index): ScriptedTurn =>
        context => {
          if (index > 0) outputs[index - 1] = context.lastText
          return opened.rig ? bash(`${waitForRequest}; ${command(opened.rig)}; echo tried`) : say('?')
        },
    )
    const last: ScriptedTurn = context => {
      outputs[attacks.length - 1] = context.lastText
      return say('done')
    }
    await withRig({ ...helloScenario, orchestrator: [...approvalTurns.slice(0, 2), ...turns, last] }, async rig => {
      opened.rig = rig
      await rig.dispatch([helloTask, '--approve'])
      for (const [index, { title, output }] of attacks.entries())
        await test.test(title, async () => {
          const printed = await rig.waitUntil('it has tried', () => outputs[index])
          assert.match(printed, /tried/)
          for (const pattern of output) assert.match(printed, pattern)
          await new Promise(resolve => setTimeout(resolve, 1000))
          assert.ok(
            !rig.readEvents().some(event => event.type === 'contract.approved' || event.type === 'contract.sealed'),
          )
        })
    })
  }

  it('with its own tools', test =>
    runAttacks(test, [
      {
        title: 'from Bash: its environment shows it',
        command: () => `sh ${entryPoint} approve "$DISPATCH_SESSION" 2>&1; echo exit $?`,
        output: [
          /an agent cannot approve: (DISPATCH_SESSION|DISPATCH_ROLE|CLAUDECODE) is set in its environment/,
          /exit 5/,
        ],
      },
      ...(notLinux
        ? []
        : [
            {
              title: 'with a new terminal and a clean environment: its ancestors show it',
              command: (rig: Rig) =>
                `id=$DISPATCH_SESSION; (sleep 3; echo \${id##*-}) | env -i PATH="$PATH" HOME="$HOME" DISPATCH_HOME=${rig.home}/dispatch script -qec "sh ${entryPoint} approve $id" /dev/null 2>&1`,
              output: [/an agent cannot approve/],
            },
            {
              title: 'with a forged message in the name of the person’s process',
              command: (rig: Rig) => {
                const word = `{kind:"approve",sha256:s,sender:{pid:${process.pid},startTime:fs.readFileSync("/proc/${process.pid}/stat","utf8").split(") ")[1].split(" ")[19],bootId:fs.readFileSync("/proc/sys/kernel/random/boot_id","utf8").trim(),name:"root"},deadline:new Date(Date.now()+9e4).toISOString()}`
                const code = `const fs=require("fs");const s=/contract-([0-9a-f]{64})/.exec(fs.readdirSync("../messages").join())[1];fs.writeFileSync("../messages/"+Date.now()+"-000-deadbeef.json",JSON.stringify(${word}))`
                return `node -e '${code}'; until cat ../messages/*deadbeef.reply 2>/dev/null; do sleep 0.2; done; : ${rig.home}`
              },
              output: [/it was sent by another process than it names/],
            },
          ]),
    ]))

  it('as an orphan with a clean environment and a new terminal', async test => {
    if (process.platform !== 'linux' || (await listAncestors(process.pid))[0]?.hasNoNewPrivileges)
      return test.skip('this process itself has no_new_privs')
    await runAttacks(test, [
      {
        title: 'the kernel shows it (Linux)',
        command: rig =>
          `id=$DISPATCH_SESSION; printf '%s\\n' '(sleep 4; echo '\${id##*-}'; sleep 6) | script -qec "sh ${entryPoint} approve '$id'" ${rig.home}/seen' > ${rig.home}/attack.sh; (env -i PATH="$PATH" HOME="$HOME" DISPATCH_HOME=${rig.home}/dispatch setsid sh ${rig.home}/attack.sh >/dev/null 2>&1 &); until grep -q COMMAND_EXIT_CODE ${rig.home}/seen 2>/dev/null; do sleep 0.2; done; cat ${rig.home}/seen`,
        output: [/an agent cannot approve: an agent of this session started it \(no_new_privs is set\)/],
      },
    ])
    return undefined
  })

  it('in a window of dispatch’s own tmux', () =>
    withRig({ ...helloScenario, orchestrator: approvalTurns }, async rig => {
      await rig.dispatch([helloTask, '--approve'])
      await waitForApprovalRequest(rig)
      const { socketArguments } = openTmux(path.join(rig.home, 'dispatch'))
      const { id } = rig.readSession()
      const line = `sh ${entryPoint} approve ${id} > ${rig.home}/seen 2>&1; echo "exit $?" >> ${rig.home}/seen`
      await runProgram('tmux', [
        ...socketArguments,
        'new-window',
        '-d',
        '-t',
        `=dispatch-${id}:`,
        '/bin/sh',
        '-c',
        `${line}; sleep 5`,
      ])
      const shown = await rig.waitUntil('it has tried', () => {
        const text = fs.existsSync(`${rig.home}/seen`) ? fs.readFileSync(`${rig.home}/seen`, 'utf8') : ''
        return text.includes('exit') && text
      })
      assert.match(
        shown,
        /an agent cannot approve: it runs in \/dev\/pts\/\d+, a terminal that dispatch opened[\s\S]*exit 5/,
      )
    }))
})
