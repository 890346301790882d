import path from 'node:path'

/** One part of the torture: test files that know a wider life than `npm test` gives them. */
export interface TorturePart {
  name: string
  about: string
  files: string[]
  /** Only the tests so named. */
  only?: RegExp
  /** What the files are told, so that they fill these seconds; a part that has no measure of its own takes what it takes. */
  buildEnvironment(seconds: number, seed: number): Record<string, string>
  /** No file of it is begun any more when its time is over. */
  canBeCut?: true
  /** Where the figures tell the number of rounds; without it, that is the number of tests that held. */
  rounds?: RegExp
}

const tests = path.join(import.meta.dirname, '..')

/** In the order in which they are run: what cannot be shortened first, what takes all the time it gets last. */
export const tortureParts: TorturePart[] = [
  {
    name: 'corpora',
    about: 'every text of C1 on into a terminal, and every settings file of C5',
    files: [
      path.join(tests, 'end-to-end/task-corpus.test.ts'),
      path.join(tests, 'host/config/env-file-corpus.test.ts'),
    ],
    buildEnvironment: () => ({ C1_ALL: '1' }),
  },
  {
    name: 'walks',
    about: 'two projects of fifty files, from git clone to merged work, at a real terminal',
    files: [path.join(tests, 'walk/walked.ts')],
    buildEnvironment: () => ({}),
  },
  {
    name: 'settings',
    about: 'eight mergers beside claude’s own lock; 500 rounds each from two minutes on',
    files: [path.join(tests, 'host/user-config/contest.test.ts')],
    buildEnvironment: seconds => ({ CONTEST_ROUNDS: String(Math.round(Math.min(500, Math.max(50, seconds * 4)))) }),
    rounds: /^(\d+) changes/,
  },
  {
    name: 'chain',
    about: 'eight contenders for one claim, holders killed in their midst',
    files: [path.join(tests, 'session/lease/lease.test.ts')],
    only: /contenders/,
    buildEnvironment: seconds => ({ TORTURE_SECONDS: String(seconds) }),
    rounds: /^(\d+) entries/,
  },
  {
    name: 'leaks',
    about: 'collages of made-up secrets in the judge’s packet, from a fresh seed',
    files: [path.join(tests, 'validator/packet/packet.test.ts')],
    only: /secret from the source|random collages/,
    buildEnvironment: (seconds, seed) => ({ LEAK_SECONDS: String(seconds), LEAK_SEED: String(seed) }),
    rounds: /^(\d+) collages/,
  },
  {
    name: 'killed',
    about: 'whole sessions whose runner is killed at random moments',
    files: [path.join(import.meta.dirname, 'killed.ts')],
    buildEnvironment: (seconds, seed) => ({ KILLED_SECONDS: String(seconds), KILLED_SEED: String(seed) }),
    rounds: /^(\d+) sessions/,
  },
  {
    name: 'sweeps',
    about: 'every command against signals, faults, refusals; every act against the record; every rehearsal',
    files: [
      ...['signals', 'refusals', 'faults', 'human', 'parked', 'smoke', 'reading', 'home'].map(name =>
        path.join(tests, `long/${name}.ts`),
      ),
      path.join(tests, 'protocol/protocol.ts'),
      path.join(tests, 'end-to-end/tamper-live.test.ts'),
      path.join(tests, 'rehearsal/rehearse.test.ts'),
    ],
    canBeCut: true,
    buildEnvironment: (seconds, seed) => ({ SWEEP_SECONDS: String(seconds), SWEEP_SEED: String(seed) }),
  },
]
