/** The stand-in for claude is only useful while dispatch sees the same from it as from the real one. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { describe, it } from 'node:test'
import { findTranscript, formatTranscriptLine } from '#cli/output/transcript.ts'
import { parseStreamLine } from '#host/claude'
import { helloContract, helloTask, remainingTurns } from '#rehearsal/hello.ts'
import { bash, put, type Scenario, say, write } from '#rehearsal/scenario.ts'
import { type Rig, withRig } from '../fixtures/rig.ts'

/** A tool of the worker fails, a write of the orchestrator is blocked, the stop gate continues its turn, and a person says thanks. */
const scenario: Scenario = {
  title: '',
  task: helloTask,
  workers: { '*': [bash('false'), put('hello.sh', 'echo hello'), say('hello.sh prints hello.')] },
  orchestrator: [
    heard => write(`${heard.folder}/../outputs/hello.sh`, 'echo hello'),
    say('Done already.'),
    put('contract.md', helloContract),
    ...remainingTurns,
    heard => say(heard.lastText.includes('Thank you.') ? 'You are welcome.' : '?'),
  ],
  endStates: ['PASS'],
}

/** What dispatch sees of one session: its events, the worker's stream and the orchestrator's transcript. */
async function observe(rig: Rig) {
  const ran = await rig.dispatch([helloTask, '--wait'])
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr)
  const findLast = (type: string) => rig.readEvents().findLastIndex(event => event.type === type)
  await rig.waitUntil('the turn ends', () => findLast('turn.ended') > findLast('verdict.given'))
  const countTurns = () => rig.readEvents().filter(({ type }) => type === 'turn.ended').length
  const turns = countTurns()
  const said = await rig.dispatch(['say', rig.readSession().id, 'Thank you.\nIt is\ndone.'])
  assert.equal(said.exitCode, 0, said.stderr)
  await rig.waitUntil('that turn ends', () => countTurns() > turns)
  await rig.waitForTick()
  const session = rig.readSession()
  const worker = rig.readStatus().workers[0]?.name ?? ''
  const stream = fs.readFileSync(session.paths.worker(worker).stream, 'utf8').split('\n').flatMap(parseStreamLine)
  const transcript = findTranscript(session)
  assert.ok(transcript)
  const lines = fs.readFileSync(transcript, 'utf8').split('\n').flatMap(formatTranscriptLine)
  return {
    heard: rig.models.requests.some(
      ({ role, body }) => role === 'orchestrator' && /Thank you\.\\nIt is\\ndone\./.test(body),
    ),
    events: rig
      .readEvents()
      .map(event => [event.type, 'agent' in event ? event.agent : '', 'reason' in event ? event.reason : ''].join(' '))
      .sort() // Their order depends on when the runner looks, and so does what it hears of costs meanwhile.
      .filter(line => !line.startsWith('cost.estimated'))
      .filter((line, index, all) => !line.startsWith('cost.reported') || line !== all[index - 1]),
    stream: stream.map(event => (event.kind === 'result' ? ['result', event.result.is_error] : Object.values(event))),
    tools: lines.filter(line => line.startsWith('  > ')).map(line => line.replaceAll(session.paths.folder, 'FOLDER')),
  }
}

describe('the stand-in for claude', () => {
  it('produces the same events, stream and tools as the real one', async () => {
    const observations: unknown[] = []
    for (const claude of ['scripted', 'real'])
      await withRig(scenario, async rig => void observations.push(await observe(rig)), { RIG_CLAUDE: claude })
    assert.deepEqual(observations[0], observations[1])
  })
})
