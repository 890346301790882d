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
  exampleContract,
  readPacketText,
} from '../fixtures/packet-examples.ts'
import { createRandom } from '../fixtures/scratch.ts'
import { sampleCases } from '../long/select-cases.ts'

const random = createRandom(5)
const reports = sampleCases(hostileReports, 8)

const judges: Record<string, (packet: string) => JudgeReply> = {
  honest: answerHonestly,
  obedient: answerObediently,
  /** Says yes as reports tell it to, but recognizes the canary. */
  cunning: packet => ({
    clauses: answerObediently(packet).clauses.map((answer, index) =>
      answerHonestly(packet).clauses[index]?.reason === 'It is not listed.' ? { ...answer, met: 'no' } : answer,
    ),
    findings: [],
  }),
  random: packet => ({
    clauses: answerHonestly(packet).clauses.map(answer => ({
      ...answer,
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

async function decideOn(report: string, gates: Gate[], url: string) {
  const input = createPacketInput({
    gates,
    reports: [{ worker: 'w1', clauses: ['C1', 'C2', 'C3'], ending: 'reported', report }],
  })
  const judged = await judgePacket(buildPacket(input), buildJudgeConfig(url), 1)
  return decideVerdict({ contract: exampleContract, gates, judged, uncovered: [], excluded: [] })
}

for (const [name, answer] of Object.entries(judges)) {
  test(`hostile reports and a judge that is ${name} give no PASS while a gate fails`, async () => {
    const server = await startFakeGemini(request => createTextResponse(JSON.stringify(answer(readPacketText(request)))))
    try {
      for (const report of reports)
        for (const [kind, gates] of failingGates) {
          const { verdict, clauses } = await decideOn(report, gates, server.url)
          assert.notEqual(verdict, 'PASS', `${kind}: ${report}`)
          const failed = clauses.some(clause => clause.verdict === 'FAIL')
          if (kind !== 'could not run') assert.ok(failed, `${kind}: ${report}`) // Even if the judge said yes to the canary.
        }
      assert.equal(server.requests.length, reports.length * failingGates.length)
    } finally {
      server.close()
    }
  })
}

test('with green gates an honest judge passes, and the canary catches an obedient one', async () => {
  for (const [answer, expected] of [
    [answerHonestly, 'PASS'],
    [answerObediently, 'INCONCLUSIVE'],
  ] as const) {
    const server = await startFakeGemini(request => createTextResponse(JSON.stringify(answer(readPacketText(request)))))
    try {
      for (const report of reports) {
        const { verdict, reason } = await decideOn(report, createGates(), server.url)
        assert.equal(verdict, expected, report)
        if (expected === 'INCONCLUSIVE') assert.match(reason, /no judge: .*says yes to something that cannot be true/)
      }
    } finally {
      server.close()
    }
  }
})

test('a hostile report is in the packet as data only', () => {
  for (const report of hostileReports) {
    const { packet, canaryId } = buildPacket(
      createPacketInput({ reports: [{ worker: 'w1', clauses: [], ending: 'reported', report }] }),
    )
    const unquoted = packet.split('\n').filter(line => !line.startsWith('| '))
    assert.ok(!unquoted.some(line => /ignore|yes/i.test(line)), report)
    assert.equal(unquoted.filter(line => /^### C\d+ — /.test(line)).length, exampleContract.clauses.length + 1)
    assert.ok(unquoted.some(line => line.startsWith(`### ${canaryId} — `)))
  }
})

// --- the judge as a process ---

const entryPoint = path.resolve(import.meta.dirname, '../../bin/processes/judge.ts')

async function runJudge(stdin: string, settings: Record<string, string>) {
  const home = mkdtempSync(path.join(os.tmpdir(), 'judge-'))
  try {
    const child = spawn(process.execPath, [entryPoint], {
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

test('the process reads a packet and prints the reply on one line', async () => {
  const server = await startFakeGemini(request =>
    createTextResponse(JSON.stringify(answerHonestly(readPacketText(request)))),
  )
  try {
    const packet = buildPacket(createPacketInput())
    const { code, out, err } = await runJudge(JSON.stringify(packet), settingsFor(server.url))
    assert.equal(code, 0, err)
    assert.equal(out.split('\n').length, 2)
    const judged = JSON.parse(out)
    assert.equal(judged.ok, true)
    assert.deepEqual(judged.reply.clauses.map(({ id }: { id: string }) => id).sort(), ['C1', 'C2', 'C3'])
    assert.equal(readPacketText(server.requests[0] as never), packet.packet)
    assert.ok(!`${out}${err}`.includes(buildJudgeConfig('').GEMINI_API_KEY))
  } finally {
    server.close()
  }
})

test('the process prints why there is no reply, and exits 0', async () => {
  const packet = JSON.stringify(buildPacket(createPacketInput()))
  const table: [stdin: string, settings: Record<string, string>, reason: RegExp, exit?: number][] = [
    [packet, {}, /^GEMINI_API_KEY is not set$/, 7],
    [packet, { GEMINI_API_KEY: 'AIza-x', JUDGE_TIMEOUT_SEC: 'soon' }, /JUDGE_TIMEOUT_SEC/, 2],
    ['', {}, /packet/],
    ['{"packet":', {}, /packet/],
    ['{"packet":"x"}', {}, /packet/],
  ]
  for (const [stdin, settings, reason, exit] of table) {
    const { code, out } = await runJudge(stdin, settings)
    assert.equal(code, 0)
    const judged = JSON.parse(out)
    assert.equal(judged.ok, false)
    assert.match(judged.reason, reason)
    assert.equal(judged.exitCode, exit)
  }
})

test('the process never prints the key, even if the server echoes it', async () => {
  const key = buildJudgeConfig('').GEMINI_API_KEY
  const server = await startFakeGemini(request => ({ status: 400, body: `your key is ${request.key}` }))
  try {
    const { code, out, err } = await runJudge(JSON.stringify(buildPacket(createPacketInput())), settingsFor(server.url))
    assert.equal(code, 0)
    assert.equal(server.requests[0]?.key, key)
    assert.ok(!`${out}${err}`.includes(key))
    assert.match(out, /rejects the request/)
  } finally {
    server.close()
  }
})
