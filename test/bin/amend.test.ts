import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { contract, honest, task, therest } from '../../rehearsal/hello.ts'
import { bash, put, say, spawn } from '../../rehearsal/scenario.ts'
import { amendContract } from '../../runner/amend.ts'
import type { Running } from '../../runner/running.ts'
import { relayContract, sealedContract } from '../../runner/seal.ts'
import {
  advance,
  append,
  type Happening,
  nothing,
  pathsOf,
  readEvidence,
  readLog,
  readVerdict,
  type Status,
} from '../../session/index.ts'
import { hello, type Rig, withRig } from '../rig.ts'
import { atTerminalUntil } from './person.ts'

const sealed = contract.trimStart() // As a scenario writes it.
const more = `${sealed}
## C3 — It is a script of one line
- check: \`grep -c hello hello.sh\`
- expect: exit 0
`
const less = more.replace('- expect: output equals `hello`\n', '')

/** What `contract amend` answered, as the orchestrator's model heard it. */
const answers = (rig: Rig) =>
  rig.stage.seen
    .filter(({ role }) => role === 'orchestrator')
    .map(({ body }) => body)
    .at(-1) ?? ''

describe('a sealed contract is amended, and asks for less only when a human says yes', { concurrency: 2 }, () => {
  it('more counts at once, less waits for the typed letters, and the verdict says which version it judged', () =>
    withRig(
      {
        ...hello,
        workers: { '*': [bash('sleep 6'), ...honest] },
        orchestrator: [
          put('contract.md', contract),
          spawn('code --name hello --clauses C1', 'Write hello.sh: it prints hello.'),
          bash('contract amend "too early"'),
          bash('wait-workers'),
          put('contract.md', more),
          bash('contract amend "the task says one script"'),
          put('contract.md', less),
          bash('contract amend "the output may differ"'),
          say('I wait.'),
          heard => (heard.last.includes('approved the amendment') ? bash('contract amend "as approved"') : say('?')),
          bash('submit'),
          heard => say(heard.last.slice(0, 200)),
        ],
      },
      async rig => {
        const asked = await rig.dispatch([task, '--wait'])
        assert.equal(asked.code, 12, asked.stdout + asked.stderr)
        assert.match(asked.stdout, /Approve the amendment of the contract\?/)
        const { id, paths } = rig.session()
        assert.match(answers(rig), /Still at work: hello\. They work by the contract as it is/)
        assert.match(answers(rig), /The contract is amended; this is version 2:\\n- C3 is new/)
        assert.equal(fs.readFileSync(paths.contract, 'utf8'), more, 'until a human says yes the sealed one counts')
        await rig.until(
          'the push',
          () => rig.events().some(event => event.is === 'notice.queued' && event.about === 'approval.asked'),
          15,
        )

        const shown = await atTerminalUntil(rig, ['approve', id], id.slice(-4))
        assert.match(shown, /Changed from the sealed contract[\s\S]*-- expect: output equals `hello`/)
        assert.match(shown, /Why it is to be amended: the output may differ/)
        assert.match(shown, /It would ask for less[\s\S]*C1 no longer expects: output equals what it did/)
        const ended = await rig.dispatch(['wait'])
        assert.equal(ended.code, 0, ended.stdout + JSON.stringify(rig.events().slice(-6)))

        assert.deepEqual(
          [1, 2, 3].map(version => fs.readFileSync(paths.contractVersion(version), 'utf8')),
          [sealed, more, less],
        )
        assert.equal(fs.readFileSync(paths.contract, 'utf8'), less)
        const verdict = readVerdict(paths)
        assert.deepEqual(
          [verdict?.contractVersion, verdict?.dilutions],
          [3, ['C1 no longer expects: output equals what it did']],
        )
        assert.match(
          fs.readFileSync(paths.verdict, 'utf8'),
          /## Weaker than what was first sealed, with the approval of a human/,
        )
        const from = Object.fromEntries(readEvidence(paths).map(record => [record.id, record.from]))
        assert.equal(from['base-v2-C1'], 'base-C1', 'the check that has not changed is not run again')
        assert.equal(from['base-v2-C3'], undefined)
      },
      { ROUNDS: '1' },
    ))

  it('a no leaves the sealed contract as it is, and the same cannot be asked again and again', () =>
    withRig(
      {
        ...hello,
        orchestrator: [
          put('contract.md', contract),
          spawn('code --name hello --clauses C1', 'Write hello.sh: it prints hello.'),
          bash('wait-workers'),
          put('contract.md', contract.replace('## C2 — Nothing else is made\n- scope: `hello.sh`\n', '')),
          bash('contract amend "I want to make more"'),
          say('I wait.'),
          bash('contract amend "please"'),
          bash('submit'),
          heard => say(heard.last.slice(0, 200)),
        ],
      },
      async rig => {
        assert.equal((await rig.dispatch([task, '--wait'])).code, 12)
        const { id, paths } = rig.session()
        assert.match(await atTerminalUntil(rig, ['approve', id, '--no', 'the scope stays']), /Sent back[\s\S]*EXIT 0/)
        assert.equal((await rig.dispatch(['wait'])).code, 0)
        assert.match(answers(rig), /The human has not approved the amendment:\\nthe scope stays/)
        assert.match(answers(rig), /The human has said no to exactly this/)
        assert.equal(fs.readFileSync(paths.contract, 'utf8'), sealed)
        assert.equal(rig.status().contract?.version, 1)
      },
      { ROUNDS: '1' },
    ))
})

describe('what an amendment must be, and whose yes it needs', () => {
  const judged = '# Contract: a poem\n\n## C1 — It rhymes\n- covers: S1\n- judged\n\n## C2 — It is short\n- judged\n'
  const shorter = judged.replace('\n## C2 — It is short\n- judged\n', '')

  /** A session whose contract is sealed, and an orchestrator that lays a draft and asks to amend. */
  function sealedSession(t: TestContext) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-amend-'))
    t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
    const paths = pathsOf(folder)
    for (const place of [paths.evidence, paths.desk, paths.human]) fs.mkdirSync(place)
    fs.writeFileSync(paths.task, 'Write a poem.')
    const running = {
      session: { paths, opening: { judgedOnly: true, approve: false, project: null } },
      status: nothing as Status,
      record(happening: Happening) {
        const event = append(paths.events, happening, running.status.seq, new Date())
        running.status = advance(running.status, event)
        return event
      },
    }
    const clauses = ['C1', 'C2'].map(id => ({ id, sentence: id, proof: 'judged' as const }))
    running.record({ is: 'base.prepared', commit: 'a'.repeat(40), tree: 'b'.repeat(40) })
    for (const file of [paths.contract, paths.contractVersion(1)]) fs.writeFileSync(file, judged)
    running.record({ is: 'contract.sealed', sha256: hash('sha256', judged), clauses, uncovered: [] })
    const amend = (draft: string) => {
      fs.writeFileSync(path.join(paths.desk, 'contract.md'), draft)
      return amendContract(running as unknown as Running, 'so')
    }
    return { running, paths, amend }
  }

  it('another title alone is no amendment, so the same tree cannot be judged anew by it', async t => {
    const { running, amend } = sealedSession(t)
    assert.match((await amend(judged.replace('a poem', 'a better poem'))).text, /Nothing that counts has changed/)
    assert.match((await amend(`${judged}\n## Notes\nmore words\n`)).text, /Nothing that counts|not ready/)
    assert.equal(running.status.contract?.version, 1)
  })

  it('a yes is for one change of one sealed contract, and is used up by it', async t => {
    const { running, paths, amend } = sealedSession(t)
    const asked = () => readLog(paths.events).events.filter(({ is }) => is === 'approval.asked').length
    assert.match((await amend(shorter)).text, /waits for the human/)
    assert.match((await amend(shorter)).text, /waits for the human/)
    assert.deepEqual([asked(), running.status.approval?.from], [1, hash('sha256', judged)])
    running.record({ is: 'contract.approved', sha256: hash('sha256', shorter), by: 'me' })
    assert.match((await amend(shorter)).text, /this is version 2/)
    assert.equal(fs.readFileSync(paths.contract, 'utf8'), shorter)
    assert.match((await amend(judged)).text, /this is version 3/)
    assert.match((await amend(shorter)).text, /waits for the human/, 'the yes to version 2 is spent')
    assert.equal(asked(), 2)
    running.record({ is: 'contract.approved', sha256: hash('sha256', shorter), by: 'me' })
    const longer = `${judged}\n## C3 — It is signed\n- judged\n`
    assert.match((await amend(longer)).text, /this is version 4/)
    assert.match((await amend(shorter)).text, /waits for the human/, 'they said yes to less than version 3, not than 4')
    assert.equal(asked(), 3)
  })
})

describe('a runner that was killed between an event and contract.md', () => {
  const hashOf = (text: string) => hash('sha256', text)

  /** A session whose log says that the last of these versions counts, while this lies in contract.md. */
  function left(t: TestContext, versions: string[], there: string | undefined) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-relay-'))
    t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
    const paths = pathsOf(folder)
    fs.mkdirSync(paths.evidence)
    for (const [at, text] of versions.entries()) fs.writeFileSync(paths.contractVersion(at + 1), text)
    if (there !== undefined) fs.writeFileSync(paths.contract, there)
    const version = versions.length
    const contract = { sha256: hashOf(versions.at(-1) ?? ''), version, uncovered: [], dilutions: [] }
    const running = { session: { paths }, status: { ...nothing, contract } } as unknown as Running
    return { running, paths }
  }

  it('what the event says is laid again: where nothing lies, or the version before', t => {
    for (const [versions, there] of [
      [[sealed], undefined],
      [[sealed, more], sealed],
      [[sealed, more, less], more],
    ] satisfies [string[], string | undefined][]) {
      const { running, paths } = left(t, versions, there)
      assert.ok(sealedContract(running).clauses.length > 0)
      assert.equal(fs.readFileSync(paths.contract, 'utf8'), versions.at(-1))
    }
  })

  it('anything else stays as it lies, and is an integrity failure', t => {
    for (const [versions, there] of [
      [[sealed], '# mine'],
      [[sealed, more], less],
      [[sealed, more, less], sealed],
    ] satisfies [string[], string][]) {
      const { running, paths } = left(t, versions, there)
      assert.throws(() => sealedContract(running), { exit: 13 })
      assert.equal(fs.readFileSync(paths.contract, 'utf8'), there)
    }
    const { running, paths } = left(t, [sealed, more], sealed)
    fs.writeFileSync(paths.contractVersion(2), less)
    relayContract(running)
    assert.equal(fs.readFileSync(paths.contract, 'utf8'), sealed, 'what was kept must be what was sealed')
  })
})

describe('evidence', { concurrency: 2 }, () => {
  it('a check that is now green and now red on one tree is flaky, named so, and proves nothing', () => {
    const count = path.join(os.tmpdir(), `dispatch-flaky-${process.pid}`)
    const moody = `n=$(cat ${count} 2>/dev/null || echo 0); echo $((n + 1)) > ${count}; [ $((n % 2)) = 0 ] && echo hello || echo no`
    return withRig(
      {
        ...hello,
        workers: { '*': [put('hello.sh', moody), say('It prints hello.')] },
        orchestrator: [put('contract.md', contract), ...therest],
      },
      async rig => {
        try {
          const ran = await rig.dispatch([task, '--wait'])
          assert.equal(ran.code, 12, ran.stdout)
          assert.match(ran.stdout, /C1 +flaky now \(green, then red, on the same tree[\s\S]*C1 +INCONCLUSIVE/)
          const record = readEvidence(rig.session().paths).find(({ id }) => id === 'round-1-C1')
          assert.deepEqual([record?.outcome, record?.runs.map(({ outcome }) => outcome)], ['flaky', ['green', 'red']])
          assert.match(fs.readFileSync(rig.session().paths.verdict, 'utf8'), /flaky|green, then red/)
        } finally {
          fs.rmSync(count, { force: true })
        }
      },
      { ROUNDS: '1', SANDBOX: 'off' }, // Only there can a check keep count of its runs.
    )
  })

  it('a record tells what it rests on: the tree, every run, the programs and the machine', () =>
    withRig(
      { ...hello, orchestrator: [put('contract.md', contract), ...therest], workers: { '*': honest } },
      async rig => {
        assert.equal((await rig.dispatch([task, '--wait'])).code, 0)
        const record = readEvidence(rig.session().paths).find(({ id }) => id === 'round-1-C1')
        assert.ok(record)
        assert.deepEqual(
          record.runs.map(({ exit, outcome, outputSha256 }) => [exit, outcome, outputSha256 === record.outputSha256]),
          [
            [0, 'green', true],
            [0, 'green', true],
          ],
        )
        assert.equal(record.limitSeconds, 120)
        assert.match(record.machine, new RegExp(`^${process.platform} `))
        assert.equal(record.tree, rig.status().verdict?.tree)
      },
    ))
})
