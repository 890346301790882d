import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { contract, honest, task, therest } from '../../rehearsal/hello.ts'
import { bash, put, say, spawn } from '../../rehearsal/scenario.ts'
import { readEvidence, readVerdict } from '../../session/index.ts'
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
