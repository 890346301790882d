import path from 'node:path'

/** One part of the torture: test files, and the variables that make them run longer than in `npm test`. */
export interface TorturePart {
  name: string
  about: string
  files: string[]
  /** Only the tests whose names match. */
  only?: RegExp
  /** Variables that make the files run for about `seconds`. A part without a measure takes the time it takes. */
  buildEnvironment(seconds: number, seed: number): Record<string, string>
  /** No file is started after the time is over. */
  canBeCut?: true
  /** It needs what not every machine has. Then its tests say why they are skipped, and that is no failure. */
  mayBeSkipped?: true
  /** The figure that gives the number of rounds; without it, the number of tests that passed. */
  rounds?: RegExp
}

const tests = path.join(import.meta.dirname, '..')

/** In the order in which they run: parts of a fixed length first, parts that fill their time last. */
export const tortureParts: TorturePart[] = [
  {
    name: 'corpora',
    about: 'every task text into a terminal, and every broken settings file',
    files: [path.join(tests, 'end-to-end/task-corpus.test.ts'), path.join(tests, 'host/config/env-file.test.ts')],
    buildEnvironment: () => ({ ALL_CASES: '1' }),
  },
  {
    name: 'sweeps',
    about:
      'every case of the tests of which `npm test` takes a few: hostile git, escapes, hostile reports, kills and more',
    files: [
      'cli/queue/inbox-kill',
      'cli/queue/inbox-watch',
      'end-to-end/backup',
      'end-to-end/hostile-git',
      'end-to-end/hostile-repos',
      'end-to-end/private-registry',
      'end-to-end/service',
      'host/sandbox/escapes',
      'host/user-config/json-merge',
      'validator/gemini',
      'validator/judge',
    ].map(name => path.join(tests, `${name}.test.ts`)),
    canBeCut: true,
    buildEnvironment: () => ({ ALL_CASES: '1' }),
  },
  {
    name: 'storm',
    about: 'notifications in a storm of faults and kills; 10,000 if it has an hour',
    files: [path.join(tests, 'notify/delivery/storm.test.ts')],
    buildEnvironment: (seconds, seed) => ({
      STORM_NOTIFICATIONS: String(Math.round(Math.min(10_000, Math.max(300, seconds * 3)))),
      SEED: String(seed),
    }),
  },
  {
    name: 'walks',
    about: 'two projects of fifty files, from git clone to merged work, in a real terminal',
    files: [path.join(tests, 'walk/walks.long.ts')],
    buildEnvironment: () => ({}),
  },
  {
    name: 'settings',
    about: 'eight processes that change one settings file beside claude; 500 rounds each if it has two minutes',
    files: [path.join(tests, 'host/user-config/simultaneous-writes.test.ts')],
    buildEnvironment: seconds => ({ CONTEST_ROUNDS: String(Math.round(Math.min(500, Math.max(50, seconds * 4)))) }),
    rounds: /^(\d+) changes/,
  },
  {
    name: 'lease',
    about: 'eight contenders for one lease, whose holders are killed',
    files: [path.join(tests, 'host/lease/lease.test.ts')],
    only: /contenders/,
    buildEnvironment: seconds => ({ TORTURE_SECONDS: String(seconds) }),
    rounds: /^(\d+) entries/,
  },
  {
    name: 'queue',
    about: 'eight claimers of one queue, which are killed; 4,000 items if it has a minute',
    files: [path.join(tests, 'queue/sqlite-queue.test.ts')],
    only: /eight claimers/,
    buildEnvironment: (seconds, seed) => {
      const items = Math.round(Math.min(4000, Math.max(200, seconds * 60)))
      return { QUEUE_ITEMS: String(items), QUEUE_KILLS: String(Math.round(items / 200)), SEED: String(seed) }
    },
    rounds: /^(\d+) items/,
  },
  {
    name: 'backup',
    about: 'backups and tidying that are killed at random moments',
    files: ['backup/backup.test.ts', 'tidy/tidy.test.ts'].map(name => path.join(tests, 'cli', name)),
    only: /however/,
    buildEnvironment: (seconds, seed) => {
      const kills = String(Math.round(Math.min(200, Math.max(10, seconds / 3))))
      return { BACKUP_KILLS: kills, TIDY_KILLS: kills, SEED: String(seed) }
    },
    rounds: /^(\d+) kills/,
  },
  {
    name: 'leaks',
    about: 'collages of random secrets in the judge’s packet, from a new seed',
    files: [path.join(tests, 'validator/packet/leak-scan.test.ts')],
    only: /secret from the source|random collages/,
    buildEnvironment: (seconds, seed) => ({ ALL_CASES: '1', LEAK_SECONDS: String(seconds), LEAK_SEED: String(seed) }),
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
    name: 'reboots',
    about: 'the machine starts again, and a process has the pid of an earlier runner; only as root',
    files: [path.join(import.meta.dirname, 'reboots.ts')],
    buildEnvironment: () => ({}),
    rounds: /^(\d+) reboots/,
    mayBeSkipped: true,
  },
  {
    name: 'clock-jumps',
    about: 'sessions whose clock jumps, with libfaketime',
    files: [path.join(import.meta.dirname, 'clock-jumps.ts')],
    buildEnvironment: (seconds, seed) => ({ CLOCK_SECONDS: String(seconds), CLOCK_SEED: String(seed) }),
    rounds: /^(\d+) jumps/,
    mayBeSkipped: true,
  },
  {
    name: 'machine-faults',
    about: 'commands and runners whose system calls fail, with strace',
    files: [path.join(import.meta.dirname, 'machine-faults.ts')],
    buildEnvironment: (seconds, seed) => ({ FAULTS_SECONDS: String(seconds), FAULTS_SEED: String(seed) }),
    rounds: /^(\d+) faults/,
    mayBeSkipped: true,
  },
  {
    name: 'small-disk',
    about: 'a home on a disk that is full for a while, or takes no writes',
    files: [path.join(import.meta.dirname, 'small-disk.ts')],
    buildEnvironment: () => ({}),
    mayBeSkipped: true,
  },
  {
    name: 'kill-points',
    about: 'every call of a program that writes a file or starts a process, killed before, in and after it',
    files: [path.join(import.meta.dirname, 'kill-points.ts')],
    buildEnvironment: (seconds, seed) => ({ KILL_SECONDS: String(seconds), KILL_SEED: String(seed) }),
    rounds: /^(\d+) kill points/,
  },
  {
    name: 'night',
    about: 'twelve tasks in the queue, with a limit, a reboot, a full disk, and three that need a person',
    files: [path.join(import.meta.dirname, 'night.ts')],
    buildEnvironment: () => ({}),
    rounds: /^(\d+) tasks/,
  },
  {
    name: 'landings',
    about: 'sessions that land on one branch, which moves; refused at random, and killed; 200 if it has twenty minutes',
    files: [path.join(import.meta.dirname, 'landings.ts')],
    buildEnvironment: (seconds, seed) => {
      const landings = Math.round(Math.min(200, Math.max(8, seconds / 6)))
      return { LANDINGS: String(landings), LANDING_KILLS: String(Math.round(landings / 4)), SEED: String(seed) }
    },
    rounds: /^(\d+) landings/,
  },
  {
    name: 'lost',
    about: 'a hundred sessions whose runners, and then whose tmux server, are killed',
    files: [path.join(import.meta.dirname, 'lost-terminals.ts')],
    buildEnvironment: (seconds, seed) => {
      const sessions = Math.round(Math.min(100, Math.max(20, seconds)))
      return {
        LOST_SESSIONS: String(sessions),
        LOST_KILLS: String(Math.round(sessions * 0.3)),
        LOST_TAKEN_UP: String(Math.round(sessions * 0.12)),
        SEED: String(seed),
      }
    },
    rounds: /^(\d+) sessions$/,
  },
  {
    name: 'long',
    about: 'the long tests: signals, faults, refusals, messages, every rehearsal and more',
    files: [
      ...['signals', 'refusals', 'faults', 'human', 'parked', 'smoke', 'reading', 'home', 'git-features', 'update'].map(
        name => path.join(tests, `long/${name}.ts`),
      ),
      path.join(tests, 'protocol/protocol.ts'),
      path.join(tests, 'protocol/prices.ts'),
      path.join(tests, 'end-to-end/tamper-live.test.ts'),
      path.join(tests, 'rehearsal/rehearse.test.ts'),
    ],
    canBeCut: true,
    buildEnvironment: (seconds, seed) => ({ LONG_SECONDS: String(seconds), LONG_SEED: String(seed) }),
  },
]
