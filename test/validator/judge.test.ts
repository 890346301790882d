import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { buildPacket, decideVerdict, type Gate, type JudgeReply, judgePacket } from '#validator'
import { buildJudgeConfig, createTextResponse, startFakeGemini } from '../fixtures/gemini-server.ts'
import { hostileReports } from '../fixtures/hostile-reports.ts'
import {
  answerHonestly,
  answerObediently,
  createGates,
  createPacketInput,
  createRandom,
  exampleContract,
  readPacketText,
} from '../fixtures/packet-examples.ts'

const random = createRandom(5)

const judges: Record<string, (packet: string) => JudgeReply> = {
  honest: answerHonestly,
  obedient: answerObediently,
  /** Does as it is told, and knows the trap. */
  cunning: packet => ({
    clauses: answerObediently(packet).clauses.map((word, at) =>
      answerHonestly(packet).clauses[at]?.reason === 'It is not listed.' ? { ...word, met: 'no' } : word,
    ),
    findings: [],
  }),
  random: packet => ({
    clauses: answerHonestly(packet).clauses.map(word => ({
      ...word,
      met: (['yes', 'no', 'unproven'] as const)[Math.floor(random() * 3)] ?? 'no',
    })),
    findings: ['x'],
  }),
}

const failingGates: [string, Gate[]][] = [
  ['red', createGates('red')],
  ['could not run', createGates('could not run')],
  ['broken', createGates('green', 'broken')],
]

async function verdictOf(report: string, gates: Gate[], url: string) {
  const reports = [{ worker: 'w1', clauses: ['C1', 'C2', 'C3'], how: 'reported', report }]
  const judged = await judgePacket(buildPacket(createPacketInput({ gates, reports })), buildJudgeConfig(url), 1)
  return decideVerdict({ contract: exampleContract, gates, judged, uncovered: [] })
}

for (const [name, answers] of Object.entries(judges)) {
  test(`C7: ${hostileReports.length} hostile reports, a judge that is ${name}: no PASS while a gate fails`, async () => {
    const server = await startFakeGemini(seen => createTextResponse(JSON.stringify(answers(readPacketText(seen)))))
    try {
      for (const report of hostileReports)
        for (const [kind, gates] of failingGates) {
          const { verdict, clauses } = await verdictOf(report, gates, server.url)
          assert.notEqual(verdict, 'PASS', `${kind}: ${report}`)
          const failed = clauses.some(clause => clause.verdict === 'FAIL')
          if (kind !== 'could not run') assert.ok(failed, `${kind}: ${report}`) // Also where the judge gave itself away.
        }
      assert.equal(server.seen.length, hostileReports.length * failingGates.length)
    } finally {
      server.close()
    }
  })
}

test('C7, green gates: an honest judge passes, one that says yes to all is caught by the clause that cannot be true', async () => {
  for (const [answers, wanted] of [
    [answerHonestly, 'PASS'],
    [answerObediently, 'INCONCLUSIVE'],
  ] as const) {
    const server = await startFakeGemini(seen => createTextResponse(JSON.stringify(answers(readPacketText(seen)))))
    try {
      for (const report of hostileReports) {
        const { verdict, reason } = await verdictOf(report, createGates(), server.url)
        assert.equal(verdict, wanted, report)
        if (wanted === 'INCONCLUSIVE') assert.match(reason, /no judge: .*says yes to something that cannot be true/)
      }
    } finally {
      server.close()
    }
  }
})

test('C7: every hostile report stands in the packet as data only', () => {
  for (const report of hostileReports) {
    const { packet, canaryId } = buildPacket(
      createPacketInput({ reports: [{ worker: 'w1', clauses: [], how: 'reported', report }] }),
    )
    const ours = packet.split('\n').filter(line => !line.startsWith('| '))
    assert.ok(!ours.some(line => /ignore|yes/i.test(line)), report)
    assert.equal(ours.filter(line => /^### C\d+ — /.test(line)).length, exampleContract.clauses.length + 1)
    assert.ok(ours.some(line => line.startsWith(`### ${canaryId} — `)))
  }
})

// --- bin/judge: the judge as a process of its own ---

const door = path.resolve(import.meta.dirname, '../../bin/processes/judge.ts')

async function atTheDoor(stdin: string, settings: Record<string, string>) {
  const home = mkdtempSync(path.join(os.tmpdir(), 'judge-'))
  try {
    const child = spawn(process.execPath, [door], {
      cwd: home,
      env: { HOME: home, DISPATCH_HOME: home, ...settings },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    child.stdin.end(stdin)
    const ended = new Promise<number | null>(resolve => child.on('close', resolve))
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    return { code: await ended, out, err }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

function settingsFor(url: string): Record<string, string> {
  const { JUDGE_TIMEOUT_SEC, ...others } = buildJudgeConfig(url)
  return { ...others, JUDGE_TIMEOUT_SEC: String(JUDGE_TIMEOUT_SEC) }
}

test('bin/judge reads a packet and prints one line: the reply', async () => {
  const server = await startFakeGemini(seen => createTextResponse(JSON.stringify(answerHonestly(readPacketText(seen)))))
  try {
    const packet = buildPacket(createPacketInput())
    const { code, out, err } = await atTheDoor(JSON.stringify(packet), settingsFor(server.url))
    assert.equal(code, 0, err)
    assert.equal(out.split('\n').length, 2)
    const judged = JSON.parse(out)
    assert.equal(judged.ok, true)
    assert.deepEqual(judged.reply.clauses.map(({ id }: { id: string }) => id).sort(), ['C1', 'C2', 'C3'])
    assert.equal(readPacketText(server.seen[0] as never), packet.packet)
    assert.ok(!`${out}${err}`.includes(buildJudgeConfig('').GEMINI_API_KEY))
  } finally {
    server.close()
  }
})

test('bin/judge says why there is no judgement, and exits 0', async () => {
  const packet = JSON.stringify(buildPacket(createPacketInput()))
  const table: [stdin: string, settings: Record<string, string>, why: RegExp, exit?: number][] = [
    [packet, {}, /^GEMINI_API_KEY is not set$/, 7],
    [packet, { GEMINI_API_KEY: 'AIza-x', JUDGE_TIMEOUT_SEC: 'soon' }, /JUDGE_TIMEOUT_SEC/, 2],
    ['', {}, /packet does not read/],
    ['{"packet":', {}, /packet does not read/],
    ['{"packet":"x"}', {}, /packet does not read/],
  ]
  for (const [stdin, settings, why, exit] of table) {
    const { code, out } = await atTheDoor(stdin, settings)
    assert.equal(code, 0)
    const judged = JSON.parse(out)
    assert.equal(judged.ok, false)
    assert.match(judged.reason, why)
    assert.equal(judged.exit, exit)
  }
})

test('bin/judge never prints the key, also when the other side echoes it', async () => {
  const key = buildJudgeConfig('').GEMINI_API_KEY
  const server = await startFakeGemini(seen => ({ status: 400, body: `your key is ${seen.key}` }))
  try {
    const { code, out, err } = await atTheDoor(
      JSON.stringify(buildPacket(createPacketInput())),
      settingsFor(server.url),
    )
    assert.equal(code, 0)
    assert.equal(server.seen[0]?.key, key)
    assert.ok(!`${out}${err}`.includes(key))
    assert.match(out, /refuses the request/)
  } finally {
    server.close()
  }
})
