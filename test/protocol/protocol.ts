/**
 * Compares the protocols of claude and of the Gemini API with `protocol.txt`, in one session. The models are scripted, so a
 * difference comes from a new claude or from the scripts. With REAL_MODELS=1 and your keys the models are real and cost money;
 * differences are then only printed, because a model chooses its tools itself.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { findTranscript } from '#cli/output/transcript.ts'
import { bash, type Scenario, say, write } from '#rehearsal/scenario.ts'
import type { Session } from '#session'
import { computeStatus } from '#session/status'
import { helloScenario, type Rig, withRig } from '../fixtures/rig.ts'
import { Fingerprint, findMissing } from './fingerprint.ts'
import { recordGemini, recordHooks } from './recorders.ts'

const recordedFile = path.join(import.meta.dirname, 'protocol.txt')
const isReal = process.env['REAL_MODELS'] === '1'

/** The settings for the real models. An empty one is not set. */
const realSettings = {
  ANTHROPIC_API_KEY: process.env['ANTHROPIC_API_KEY'] ?? '',
  ANTHROPIC_BASE_URL: process.env['ANTHROPIC_BASE_URL'] ?? '',
  GEMINI_API_KEY: process.env['GEMINI_API_KEY'] ?? '',
}
const geminiUrl = process.env['GOOGLE_GEMINI_BASE_URL'] || 'https://generativelanguage.googleapis.com'

/** The worker uses both tools that dispatch knows by name. */
const scenario: Scenario = {
  ...helloScenario,
  workers: {
    '*': [
      context => write(`${context.folder}/hello.sh`, 'echo hello\n'),
      bash('sh hello.sh'),
      say('hello.sh prints hello. C1 holds.'),
    ],
  },
}

it('claude and the Gemini API speak the protocol in protocol.txt', test =>
  withRig(
    scenario,
    async rig => {
      const gemini = await recordGemini(isReal ? geminiUrl : rig.models.url)
      test.after(gemini.close)
      const hooks = recordHooks(rig)
      const env = { PATH: hooks.path, GOOGLE_GEMINI_BASE_URL: gemini.url }
      const ran = await rig.dispatch(['--json', '--no-repo', '--', helloScenario.task], { env })
      assert.equal(ran.exitCode, 0, ran.stderr)
      await rig.waitUntil('the turn of the verdict has ended', () => isTurnOver(rig), isReal ? 1800 : 120)
      assert.equal(rig.readStatus().verdict?.verdict, 'PASS')
      await rig.dispatch(['stop', rig.readSession().id]) // claude writes the end of its transcript late.

      const fingerprint = new Fingerprint()
      for (const { input, agent } of hooks.read()) fingerprint.addHook(input, agent)
      for (const line of readStreamLines(rig)) fingerprint.addStreamLine(line)
      for (const line of readTranscriptLines(rig.readSession())) fingerprint.addTranscriptLine(line)
      for (const body of gemini.replies) fingerprint.addJudgeReply(body)
      const lines = fingerprint.lines()
      if (!isReal) return test.assert.fileSnapshot(`${lines.join('\n')}\n`, recordedFile, { serializers: [String] })
      const known = readLines(recordedFile)
      for (const line of findMissing(lines, known)) test.diagnostic(`real models only: ${line}`)
      for (const line of findMissing(known, lines)) test.diagnostic(`scripts only: ${line}`)
    },
    isReal ? realSettings : {},
  ))

it('only what the other list lacks is a difference', () => {
  const lines = ['hook Stop: cwd, effort', 'stream thinking: text', 'same: a, b']
  assert.deepEqual(findMissing(lines, ['hook Stop: cwd, reason', 'same: b, a']), [
    'hook Stop: effort',
    'stream thinking: text',
  ])
})

function isTurnOver(rig: Rig): boolean {
  const events = rig.readEvents()
  if (computeStatus(events).phase === 'needs you') return true
  const verdict = events.findIndex(event => event.type === 'verdict.given')
  return verdict >= 0 && events.slice(verdict).some(event => event.type === 'turn.ended')
}

function readStreamLines(rig: Rig): string[] {
  return rig.readStatus().workers.flatMap(({ name }) => readLines(rig.readSession().paths.worker(name).stream))
}

function readTranscriptLines(session: Session): string[] {
  const transcript = findTranscript(session)
  assert.ok(transcript, 'the orchestrator has no transcript')
  return readLines(transcript)
}

function readLines(file: string): string[] {
  return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)
}
