/**
 * An attacker with all rights changes the record of a finished session. `dispatch audit` finds each attack and names the part
 * that it damaged. There is one real session; each attack changes a copy of its folder.
 */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { helloTask } from '#rehearsal/hello.ts'
import { type AuditPart, type AuditReport, auditSession } from '#session/audit'
import { corruptObject, forgeEverything, forgeVerdict, SessionCopy } from '../fixtures/forged-session.ts'
import { fingerprintFolder, helloScenario, openRig, type Rig, withPhone } from '../fixtures/rig.ts'

let rig: Rig
let copies: string
let original: string
/** The log anchor in the notification of the verdict. */
let anchor: string

before(async () => {
  rig = await openRig(helloScenario, withPhone)
  const ran = await rig.dispatch([helloTask, '--wait'])
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
  await rig.dispatch(['stop', '--all'])
  copies = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-tamper-'))
  original = rig.readSession().paths.folder
  const outbox = path.join(rig.home, 'dispatch/outbox')
  const files = fs.readdirSync(outbox, { recursive: true }).map(name => path.join(outbox, `${name}`))
  const pushed = files.filter(file => file.endsWith('.json')).map(file => fs.readFileSync(file, 'utf8'))
  anchor = /log anchor ([0-9a-f]{16})/.exec(pushed.join('\n'))?.[1] ?? 'none'
})

after(async () => {
  await rig.close()
  fs.rmSync(copies, { recursive: true, force: true })
})

const makeCopy = (name: string) => new SessionCopy(original, path.join(copies, name))

const attacks: [name: string, part: AuditPart, attack: (copy: SessionCopy) => unknown, message: RegExp][] = [
  [
    'edit a record of evidence',
    'evidence',
    copy => copy.edit('evidence/round-1-C1.json', 'hello', 'Hello'),
    /round-1-C1\.json.*is not what was recorded/,
  ],
  [
    'rewrite a line of the log',
    'log',
    copy => copy.edit('events.jsonl', '"outcome":"red"', '"outcome":"green"'),
    /does not follow/,
  ],
  [
    'drop the last lines with the verdict',
    'verdict',
    copy => {
      copy.lines = copy.lines.slice(0, copy.findEvent('verdict.given'))
    },
    /verdict\.json: exists, though the log has no verdict/,
  ],
  [
    'change the order of two lines',
    'log',
    copy => {
      const [one = '', two = '', three = '', ...others] = copy.lines
      copy.lines = [one, three, two, ...others]
    },
    /line 3 (does not follow|is not numbered)/,
  ],
  [
    'append a verdict',
    'log',
    copy =>
      fs.appendFileSync(
        copy.pathOf('events.jsonl'),
        `\n${JSON.stringify({ ...forgeVerdict(copy), seq: copy.lines.length + 1 })}\n`,
      ),
    /does not follow/,
  ],
  [
    'append a verdict that follows the last line',
    'verdict',
    copy => copy.rechain([...copy.lines, JSON.stringify(forgeVerdict(copy))]),
    /another reason|not the verdict that was given|not the log/,
  ],
  [
    'have a round judged again after its PASS',
    'verdict',
    copy => copy.rechain([...copy.lines, JSON.stringify(forgeVerdict(copy))]),
    /round 1 has another verdict after the PASS of line \d+/,
  ],
  [
    'edit the question that was kept for the judge',
    'packet',
    copy => copy.edit('evidence/question-1.json', 'hello', 'Hello'),
    /question-1\.json.*is not what the judge was asked in round 1/,
  ],
  [
    'replace the contract',
    'seal',
    copy => copy.write('contract.md', '# Contract: nothing\n'),
    /contract\.md.*is NOT what was sealed/,
  ],
  [
    'replace the contract and its hash in the log',
    'log',
    copy => {
      const before = hash('sha256', copy.read('contract.md'))
      for (const name of ['contract.md', 'evidence/contract-1.md']) copy.edit(name, 'equals `hello`', 'equals `HELLO`')
      copy.edit('events.jsonl', before, hash('sha256', copy.read('contract.md')))
    },
    /does not follow/,
  ],
  [
    'the same, with the hash chain of the log rebuilt',
    'verdict',
    copy => {
      const before = hash('sha256', copy.read('contract.md'))
      for (const name of ['contract.md', 'evidence/contract-1.md']) copy.edit(name, 'equals `hello`', 'equals `HELLO`')
      copy.edit('events.jsonl', before, hash('sha256', copy.read('contract.md')))
      copy.rechain(copy.lines)
    },
    /bound to another contract/,
  ],
  [
    'swap verdict.json',
    'verdict',
    copy => copy.edit('verdict.json', '"reason": "', '"reason": "surely '),
    /not the verdict that was given/,
  ],
  [
    'edit verdict.md alone',
    'verdict',
    copy => copy.edit('verdict.md', '**PASS**', '**PASS!**'),
    /does not match verdict\.json/,
  ],
  [
    'change the work',
    'worktree',
    copy => copy.write('outputs/hello.sh', 'echo bye\n'),
    /outputs\/hello\.sh: differs from the judged version/,
  ],
  [
    'stage something else',
    'index',
    async copy => {
      copy.write('outputs/hello.sh', 'echo bye\n')
      await copy.git('add', 'hello.sh')
      copy.write('outputs/hello.sh', 'echo hello\n')
    },
    /hello\.sh is staged that was not judged/,
  ],
  ['move HEAD', 'index', copy => copy.git('commit', '--allow-empty', '-qm', 'more'), /HEAD: is at/],
  [
    'a link in place of a record',
    'evidence',
    copy => {
      fs.renameSync(copy.pathOf('evidence/round-1-C1.json'), copy.pathOf('elsewhere'))
      fs.symlinkSync('../elsewhere', copy.pathOf('evidence/round-1-C1.json'))
    },
    /round-1-C1\.json: is a link/,
  ],
  [
    'a hard link to a record',
    'evidence',
    copy => fs.linkSync(copy.pathOf('evidence/base-C1.json'), copy.pathOf('mine')),
    /is a hard link/,
  ],
  [
    'replace an object of the repository',
    'worktree',
    copy => corruptObject(copy),
    /repository\.git: .*(corrupt|mismatch|unable|missing|garbage)/,
  ],
  [
    'change the mode of a file',
    'worktree',
    copy => fs.chmodSync(copy.pathOf('outputs/hello.sh'), 0o755),
    /hello\.sh: differs from the judged version/,
  ],
  [
    'replace evidence/ with another folder',
    'evidence',
    copy => {
      fs.renameSync(copy.pathOf('evidence'), copy.pathOf('aside'))
      fs.cpSync(copy.pathOf('aside'), copy.pathOf('evidence'), { recursive: true })
      copy.edit('evidence/base-C1.json', '"red"', '"green"')
    },
    /base-C1\.json: its outcome is green, but red in the log/,
  ],
  ['cut the log to nothing', 'log', copy => fs.truncateSync(copy.pathOf('events.jsonl')), /has no events/],
  [
    'edit what the judge received',
    'packet',
    copy => copy.edit('evidence/packet-1.txt', 'hello', 'HELLO'),
    /packet-1\.txt: is not what the judge received/,
  ],
  [
    'edit what a check printed',
    'evidence',
    copy => copy.write('evidence/round-1-C1.txt', 'hello?\n'),
    /round-1-C1\.txt: is not what the check printed/,
  ],
  [
    'raise the number of rounds',
    'manifest',
    copy => copy.edit('session.json', /"maxRounds": \d+/, '"maxRounds": 99'),
    /session\.json: (is not|its maxRounds)/,
  ],
  [
    'change the task',
    'manifest',
    copy => copy.write('task.md', 'do nothing'),
    /task\.md: is not the task that was given/,
  ],
  ['remove a record', 'evidence', copy => fs.rmSync(copy.pathOf('evidence/base-C1.json')), /base-C1\.json: is gone/],
  [
    'a link in place of evidence/',
    'evidence',
    copy => {
      fs.renameSync(copy.pathOf('evidence'), copy.pathOf('aside'))
      fs.symlinkSync('aside', copy.pathOf('evidence'))
    },
    /evidence: is not a folder/,
  ],
  [
    'move the judged branch',
    'worktree',
    copy => copy.write('evidence/repository.git/refs/heads/judged', `${'1'.repeat(40)}\n`),
    /its branch judged is at/,
  ],
  [
    'add a record that is not in the log',
    'evidence',
    copy => copy.write('evidence/round-1-C7.json', copy.read('evidence/round-1-C1.json').replaceAll('C1', 'C7')),
    /round-1-C7\.json: is not in the log/,
  ],
]

describe('an audit of a changed record', { concurrency: 2 }, () => {
  it('an unchanged copy is sound, and its head is the pushed one', async () => {
    const copy = makeCopy('untouched')
    const before = fingerprintFolder(copy.folder)
    const ran = await rig.dispatch(['audit', copy.folder, '--head', `log anchor ${anchor}`], {
      env: { DISPATCH_HOME: '/nowhere' },
    })
    assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
    assert.match(
      ran.stdout.replace(/\s+/g, ' '),
      new RegExp(`\\(verdict\\.given\\) has the head ${anchor}.* anchor ${anchor}`),
    )
    assert.deepEqual(fingerprintFolder(copy.folder), before, 'an audit changes nothing')
    assert.equal((await rig.dispatch(['audit'])).exitCode, 0, 'without an id: the newest')
  })

  for (const [name, part, attack, message] of attacks)
    it(`${name}: damage of the ${part}, exit 13`, async () => {
      const copy = makeCopy(name.replace(/\W+/g, '-'))
      await attack(copy)
      const before = fingerprintFolder(copy.folder)
      const ran = await rig.dispatch(['audit', copy.folder, '--json'])
      assert.equal(ran.exitCode, 13, ran.stdout + ran.stderr)
      const { problems } = JSON.parse(ran.stdout) as AuditReport
      const messages = problems
        .filter(problem => problem.isDamage && problem.part === part)
        .map(({ file, message }) => `${file}: ${message}`)
      assert.match(messages.join('\n'), message, ran.stdout)
      assert.ok(
        problems.every(({ isDamage, consequence }) => !isDamage || consequence !== ''),
        'every damage has a consequence',
      )
      assert.deepEqual(fingerprintFolder(copy.folder), before)
    })

  it('only the pushed head reveals a complete forgery', async () => {
    const copy = makeCopy('forged')
    forgeEverything(copy)
    const alone = await auditSession(copy.folder)
    assert.ok(alone.isSound, JSON.stringify(alone.problems))
    const ran = await rig.dispatch(['audit', copy.folder, '--head', anchor])
    assert.equal(ran.exitCode, 13, ran.stdout)
    assert.match(ran.stdout, /no line has the head/)
  })

  it('a dilution needs a person’s approval of exactly its text', async () => {
    const amendment = {
      type: 'contract.amended',
      version: 2,
      changes: ['C2'],
      dilutions: ['C2 is gone'],
      uncoveredSentences: [],
    }
    const time = new Date().toISOString()
    const isDamaged = async (name: string, approvals: object[]) => {
      const copy = makeCopy(name)
      const { sha256, clauses } = JSON.parse(copy.lines[copy.findEvent('contract.sealed')] ?? '')
      fs.copyFileSync(copy.pathOf('contract.md'), copy.pathOf('evidence/contract-2.md'))
      const events = [...approvals.map(event => ({ time, sha256, ...event })), { time, ...amendment, sha256, clauses }]
      const end = copy.findEvent('judging.started')
      copy.rechain([
        ...copy.lines.slice(0, end),
        ...events.map(event => JSON.stringify({ seq: 0, ...event })),
        ...copy.lines.slice(end),
      ])
      const { problems } = await auditSession(copy.folder)
      return problems.some(({ part, isDamage }) => isDamage && part === 'seal')
    }
    assert.equal(await isDamaged('yes', [{ type: 'contract.approved', actor: 'me' }]), false)
    assert.equal(await isDamaged('no', []), true)
    assert.equal(await isDamaged('other', [{ type: 'contract.approved', actor: 'me', sha256: 'a'.repeat(64) }]), true)
    const { sha256: sealedSha256 } = JSON.parse(
      makeCopy('first').lines.find(line => line.includes('contract.sealed')) ?? '',
    )
    const request = { type: 'approval.requested', dilutions: ['C2 is gone'], reason: 'so' }
    const approved = { type: 'contract.approved', actor: 'me' }
    assert.equal(await isDamaged('bound', [{ ...request, previousSha256: sealedSha256 }, approved]), false)
    assert.equal(await isDamaged('elsewhere', [{ ...request, previousSha256: 'a'.repeat(64) }, approved]), true)
  })

  it('a missing contract.md after a crash is no damage while a session runs', async () => {
    const findDamage = async (name: string, change: (copy: SessionCopy) => void, end = 'judging.started') => {
      const copy = makeCopy(name)
      if (end !== '') copy.lines = copy.lines.slice(0, copy.findEvent(end))
      change(copy)
      const { problems } = await auditSession(copy.folder)
      return problems.filter(({ part }) => part === 'seal').map(({ isDamage, message }) => isDamage && message)
    }
    const removeContract = (copy: SessionCopy) => fs.rmSync(copy.pathOf('contract.md'))
    assert.deepEqual(await findDamage('crash', removeContract), [false])
    assert.deepEqual(await findDamage('crash-ended', removeContract, ''), ['is gone'])
    assert.deepEqual(await findDamage('crash-other', copy => copy.write('contract.md', '# mine\n')), [
      'is NOT what was sealed',
    ])
    const amend = (copy: SessionCopy) => {
      const { clauses } = JSON.parse(copy.lines[copy.findEvent('contract.sealed')] ?? '')
      const text = `${copy.read('contract.md')}\n`
      copy.write('evidence/contract-2.md', text)
      const facts = { sha256: hash('sha256', text), changes: ['C9'], dilutions: [], uncoveredSentences: [] }
      const event = { seq: 0, time: new Date().toISOString(), type: 'contract.amended', version: 2, clauses, ...facts }
      copy.rechain([...copy.lines, JSON.stringify(event)])
    }
    assert.deepEqual(await findDamage('crash-2', amend), [false])
  })

  it('an unknown session is exit 4, an invalid head exit 2', async () => {
    assert.equal((await rig.dispatch(['audit', './nothing'])).exitCode, 4)
    assert.equal((await rig.dispatch(['audit', 'nosuch'])).exitCode, 4)
    assert.equal((await rig.dispatch(['audit', '--head', 'xyz'])).exitCode, 2)
    assert.equal((await rig.dispatch(['audit', '--head', anchor.slice(0, 15)])).exitCode, 2)
    const shown = await rig.dispatch(['audit', original.slice(-4)])
    assert.equal(shown.exitCode, 0, shown.stderr)
    assert.match(shown.stdout, /^ok {4}log[\s\S]*ok {4}index/m)
  })
})

describe('an audit of a hostile folder', () => {
  for (const name of [
    ...['events.jsonl', 'session.json', 'task.md', 'contract.md', 'verdict.json', 'verdict.md'],
    ...[
      'evidence/base-C1.json',
      'evidence/base-C1.txt',
      'evidence/packet-1.txt',
      'evidence/verdict-1.json',
      'evidence/contract-1.md',
    ],
    ...[
      'evidence/repository.git/config',
      'evidence/repository.git/info/exclude',
      'evidence/repository.git/objects/pack/pack-1.idx',
    ],
    ...[
      'outputs/.git/index',
      'outputs/.git/HEAD',
      'outputs/.gitattributes',
      'outputs/.gitignore',
      'outputs/sub/.git/HEAD',
    ],
  ])
    it(`a pipe at ${name} does not block the audit`, async () => {
      const copy = makeCopy(`pipe-${name.replaceAll('/', '-')}`)
      fs.rmSync(copy.pathOf(name), { force: true, recursive: true })
      fs.mkdirSync(path.dirname(copy.pathOf(name)), { recursive: true })
      assert.equal((await runProgram('mkfifo', [copy.pathOf(name)])).exitCode, 0)
      const report = await auditSession(copy.folder)
      assert.ok(!report.isSound, JSON.stringify(report))
    })

  it('its git configuration, hooks and filters do not run', async () => {
    const copy = makeCopy('armed')
    const canary = path.join(copies, 'canary')
    const command = `touch ${canary}`
    const config = [
      `[core]\n\trepositoryformatversion = 0\n\tfsmonitor = "${command}"\n\thooksPath = hooks\n\tsshCommand = "${command}"\n\tpager = "${command}"`,
      `[filter "evil"]\n\tclean = "${command}; cat"\n\tsmudge = "${command}; cat"\n\tprocess = "${command}"\n\trequired = true`,
      `[diff "evil"]\n\tcommand = "${command}"\n\ttextconv = "${command}"\n[extensions]\n\tpartialClone = origin`,
      `[remote "origin"]\n\turl = ${copy.folder}\n\tpromisor = true\n\tuploadpack = "${command}"\n[include]\n\tpath = /dev/zero\n`,
    ].join('\n')
    for (const git of ['evidence/repository.git', 'outputs/.git']) {
      copy.write(`${git}/config`, config)
      fs.mkdirSync(copy.pathOf(`${git}/hooks`), { recursive: true })
      for (const hook of ['post-index-change', 'fsmonitor-watchman', 'reference-transaction', 'pre-auto-gc'])
        fs.writeFileSync(copy.pathOf(`${git}/hooks/${hook}`), `#!/bin/sh\n${command}\n`, { mode: 0o755 })
      fs.mkdirSync(copy.pathOf(`${git}/info`), { recursive: true })
      copy.write(`${git}/info/attributes`, '* filter=evil diff=evil\n')
    }
    copy.write('outputs/.gitattributes', '* filter=evil diff=evil\n')
    corruptObject(copy)
    const report = await auditSession(copy.folder)
    assert.ok(!report.isSound)
    assert.ok(
      report.problems.some(({ file }) => file === 'outputs/.gitattributes'),
      JSON.stringify(report.problems),
    )
    assert.equal(fs.existsSync(canary), false)
  })

  it('objects borrowed from another repository are damage', async () => {
    const copy = makeCopy('borrowed')
    copy.write('evidence/repository.git/objects/info/alternates', '/somewhere/objects\n')
    const { problems } = await auditSession(copy.folder)
    assert.ok(problems.some(({ message, isDamage }) => isDamage && /alternates/.test(message)))
  })

  it('huge lines, files of 10 GB and deep JSON are read up to a limit', async () => {
    const copy = makeCopy('huge')
    const long = makeCopy('long')
    long.write('events.jsonl', `${copy.read('events.jsonl')}\n{"seq":${'9'.repeat(100 << 20)}`)
    assert.ok((await auditSession(long.folder)).problems.some(({ message }) => /is longer than/.test(message)))
    for (const name of ['verdict.json', 'task.md', 'outputs/.git/index', 'evidence/packet-1.txt']) {
      copy.write(name, '')
      fs.truncateSync(copy.pathOf(name), 10 * 2 ** 30)
    }
    copy.write('session.json', '['.repeat(1 << 20))
    copy.write('evidence/base-C1.json', '{"a":'.repeat(1 << 19))
    const { problems } = await auditSession(copy.folder)
    const messages = problems.map(({ file, message }) => `${file} ${message}`).join('\n')
    assert.match(messages, /session\.json is not a valid[\s\S]*verdict\.json is longer/)
  })

  it('millions of tiny lines, an empty folder and names with escapes', async () => {
    const tiny = makeCopy('tiny')
    tiny.write('events.jsonl', '{}\n'.repeat(5_000_000))
    assert.ok(!(await auditSession(tiny.folder)).isSound)
    const empty = path.join(copies, 'empty')
    fs.mkdirSync(empty)
    fs.writeFileSync(path.join(empty, 'events.jsonl'), '')
    assert.ok(!(await auditSession(empty)).isSound)
    const odd = makeCopy('odd')
    odd.write('outputs/\u001b[2Jx\n', 'x')
    const ran = await rig.dispatch(['audit', odd.folder])
    assert.equal(ran.exitCode, 13)
    assert.ok(!ran.stdout.includes('\u001b[2J'), JSON.stringify(ran.stdout))
  })

  it('the log of an older dispatch, without hashes, is not damage', async () => {
    const copy = makeCopy('old')
    const verdict = JSON.parse(copy.read('verdict.json'))
    delete verdict.logAnchor
    for (const name of ['verdict.json', 'evidence/verdict-1.json']) copy.write(name, JSON.stringify(verdict, null, 2))
    copy.edit('verdict.md', /- log: .*\n/, '')
    copy.lines = copy.lines.map(line => {
      const { prev: _, ...event } = JSON.parse(line)
      if (['session.opened', 'check.ran', 'verdict.given'].includes(event.type)) delete event.sha256
      return JSON.stringify(event)
    })
    fs.rmSync(copy.pathOf('evidence/contract-1.md'))
    const { isSound, problems } = await auditSession(copy.folder)
    assert.ok(isSound, JSON.stringify(problems))
    assert.ok(problems.filter(({ message }) => /an older dispatch did not (record|keep)/.test(message)).length >= 4)
    assert.ok(!(await auditSession(copy.folder, anchor)).isSound, 'with the pushed head it is damage')
  })
})
