import { createWorker, orchestrate, renderTask, tasks } from '../night/agents.ts'
import { playNight } from '../night/play.ts'
import type { Scenario, ScriptedTurn } from '../scenario.ts'

const limits = new Set<string>()
/** An orchestrator needs fewer turns than this, also one that was cut off. */
const MAX_TURNS = 40

export const scenario: Scenario = {
  title: 'a night: twelve tasks in the queue, a usage limit, a reboot, one that never ends, two that need you',
  task: renderTask('ant'),
  settings: {
    MAX_SESSIONS: '3',
    STAGGER_SEC: '0',
    WORKER_TIMEOUT_SEC: '20',
    SLEEP_AFTER_SEC: '5',
    KEEP_OPEN_SEC: '0',
    ROUNDS: '1',
  },
  orchestrator: Array.from({ length: MAX_TURNS }, (): ScriptedTurn => context => orchestrate(context, limits)),
  workers: Object.fromEntries(Object.keys(tasks).map(name => [name, createWorker(name)])),
  endStates: [],
  play: playNight,
}
