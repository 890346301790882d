/**
 * One dispatch, and how claude and the Gemini API spoke in it: the same as in `protocol.txt`? The models are scripted, so a
 * difference comes from a new claude or from our scripts. With REAL_MODELS=1, and the keys in the environment, the models are
 * real and cost money; then the differences are printed, since which tools a model takes is its own choice.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { findTranscript } from '#cli/output/transcript.ts'
import { bash, type Scenario, say } from '#rehearsal/scenario.ts'
import type { Session } from '#session'
import { computeStatus } from '#session/status'
import { helloScenario, type Rig, withRig } from '../fixtures/rig.ts'
import { Fingerprint, onlyIn } from './fingerprint.ts'
import { recordGemini, recordHooks } from './recorders.ts'

const recorded = path.join(import.meta.dirname, 'protocol.txt')
const isReal = process.env['REAL_MODELS'] === '1'

/** The settings that lead to the real models. An empty one is not set. */
const real = {
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
      heard => ({ write: `${heard.folder}/hello.sh`, text: 'echo hello\n' }),
      bash('sh hello.sh'),
      say('hello.sh prints hello. C1 holds.'),
    ],
  },
}

it('claude and the Gemini API speak as protocol.txt records', test =>
  withRig(
    scenario,
    async rig => {
      const gemini = await recordGemini(isReal ? geminiUrl : rig.models.url)
      test.after(gemini.close)
      const hooks = recordHooks(rig)
      const env = { CLAUDE_CONFIG_DIR: hooks.configDirectory, GOOGLE_GEMINI_BASE_URL: gemini.url }
      const ran = await rig.dispatch(['--json', '--no-repo', '--', helloScenario.task], { env })
      assert.equal(ran.exitCode, 0, ran.stderr)
      await rig.waitUntil('the turn of the verdict has ended', () => hasEnded(rig), isReal ? 1800 : 120)
      assert.equal(rig.readStatus().verdict?.verdict, 'PASS')
      await rig.dispatch(['stop', rig.readSession().id]) // claude writes the end of its transcript late.

      const fingerprint = new Fingerprint()
      for (const { input, agent } of hooks.read()) fingerprint.addHook(input, agent)
      for (const line of streamLines(rig)) fingerprint.addStreamLine(line)
      for (const line of transcriptLines(rig.readSession())) fingerprint.addTranscriptLine(line)
      for (const body of gemini.replies) fingerprint.addJudgeReply(body)
      const lines = fingerprint.lines()
      if (!isReal) return test.assert.fileSnapshot(`${lines.join('\n')}\n`, recorded, { serializers: [String] })
      const known = linesOf(recorded)
      for (const line of onlyIn(lines, known)) test.diagnostic(`real models only: ${line}`)
      for (const line of onlyIn(known, lines)) test.diagnostic(`scripts only: ${line}`)
    },
    isReal ? real : {},
  ))

it('only what the other side lacks is a difference', () => {
  const lines = ['hook Stop: cwd, effort', 'stream thinking: text', 'same: a, b']
  assert.deepEqual(onlyIn(lines, ['hook Stop: cwd, reason', 'same: b, a']), [
    'hook Stop: effort',
    'stream thinking: text',
  ])
})

function hasEnded(rig: Rig): boolean {
  const events = rig.readEvents()
  if (computeStatus(events).phase === 'needs you') return true
  const verdict = events.findIndex(event => event.type === 'verdict.given')
  return verdict >= 0 && events.slice(verdict).some(event => event.type === 'turn.ended')
}

function streamLines(rig: Rig): string[] {
  return rig.readStatus().workers.flatMap(({ name }) => linesOf(rig.readSession().paths.worker(name).stream))
}

/** claude keeps its configuration, and so the transcript, in the home of the rig. */
function transcriptLines(session: Session): string[] {
  const transcript = findTranscript(session)
  assert.ok(transcript, 'the orchestrator has left no transcript')
  return linesOf(transcript)
}

function linesOf(file: string): string[] {
  return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)
}
