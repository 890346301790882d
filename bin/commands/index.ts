import { readFileSync } from 'node:fs'
import path from 'node:path'
import { exits, install } from '../../host/index.ts'

/** One command: what `--help` prints, and what it does with its words. Answers the exit code. */
export interface Command {
  help: string
  run(words: string[]): Promise<number>
}

interface Entry {
  name: string
  usage: string
  summary: string
  everyday: boolean
  load(): Promise<Command>
}

const entry = (
  name: string,
  usage: string,
  summary: string,
  everyday: boolean,
  load: () => Promise<{ command: Command }>,
): Entry => ({ name, usage, summary, everyday, load: async () => (await load()).command })

/** Every command, in the order `--help` lists them. Each lives in the file of its name and is loaded only when called. */
export const commands: Entry[] = [
  entry('ls', 'ls', 'every session, newest first, and where it stands', true, () => import('./ls.ts')),
  entry(
    'show',
    'show [sid]',
    'one session whole: contract, evidence, verdict, how to fetch the work',
    true,
    () => import('./show.ts'),
  ),
  entry('watch', 'watch [sid]', 'follow it live, until there is a verdict', true, () => import('./watch.ts')),
  entry(
    'attach',
    'attach [sid]',
    "sit down at the orchestrator's terminal (detach: Ctrl-b d)",
    true,
    () => import('./attach.ts'),
  ),
  entry(
    'stop',
    'stop <sid> | --all',
    'end every process of a session; what is on disk stays',
    true,
    () => import('./stop.ts'),
  ),
  entry(
    'wait',
    'wait [sid]',
    'block until there is a verdict; the exit code tells it',
    false,
    () => import('./wait.ts'),
  ),
  entry(
    'doctor',
    'doctor',
    'check this machine, with the fix for each thing that is wrong',
    false,
    () => import('./doctor.ts'),
  ),
  entry(
    'setup',
    'setup',
    'add the one trust entry claude needs for your own login, after showing it',
    false,
    () => import('./setup.ts'),
  ),
  entry(
    'rehearse',
    'rehearse [scenario]',
    'the whole path on scripted models: free, offline, all else real',
    false,
    () => import('./rehearse.ts'),
  ),
  entry('web', 'web', 'the observatory: every session on a read-only page', false, () => import('./web.ts')),
  entry(
    'watchdog',
    'watchdog',
    'give every session that lost its runner a new one; --watch goes on for ever',
    false,
    () => import('./watchdog.ts'),
  ),
]

/** `dispatch --help`, or the help of one command. */
export async function overview(about?: string): Promise<number> {
  if (about === '--version') process.stdout.write(`${version()}\n`)
  else {
    const one = commands.find(({ name }) => name === about)
    process.stdout.write(`${(one ? (await one.load()).help : everything()).trim()}\n`)
  }
  return exits.ok
}

export function version(): string {
  return String(JSON.parse(readFileSync(path.join(install, 'package.json'), 'utf8')).version)
}

function everything(): string {
  const rows = (everyday: boolean) =>
    commands
      .filter(command => command.everyday === everyday)
      .map(({ usage, summary }) => `  dispatch ${usage.padEnd(20)} ${summary}`)
      .join('\n')
  return `Claude Dispatch: leave coding agents running while you sleep, and believe the word PASS in the morning.

Every day:
  dispatch "task"              plan it, contract it, have it built and judged, in the background
${rows(true)}

Now and then:
${rows(false)}

A task can come from --file F or from standard input (dispatch -). Inside a git repository the work is done on a copy of
it; your own checkout is never written. \`dispatch help <command>\` and \`dispatch "task" --help\` say more.

Exit codes: 0 PASS or done, 2 bad input, 3 FAIL, 4 not found, 5 conflict, 6 something is missing on this machine,
7 claude is not logged in, 10 disk, 12 INCONCLUSIVE or it waits for you, 124 it took too long.`
}
