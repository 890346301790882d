import { readFileSync } from 'node:fs'
import path from 'node:path'
import { installFolder } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { type Command, type CommandEntry, foldText, formatHanging, formatHelp } from '../command.ts'

const createEntry = (
  [name, ...words]: string[],
  summary: string,
  isEveryday: boolean,
  load: () => Promise<{ command: Command }>,
): CommandEntry => ({
  name: name ?? '',
  argumentUsage: words.join(' '),
  summary,
  isEveryday,
  load: async () => (await load()).command,
})

/** What `dispatch` does when its first word is no command. */
export const taskEntry = createEntry(
  ['"task"', '[task…]'],
  'plan it, contract it, have it built and judged',
  true,
  () => import('./task.ts'),
)

const everydayEntry = (usage: string, summary: string, load: () => Promise<{ command: Command }>) =>
  createEntry(usage.split(' '), summary, true, load)
const rareEntry = (usage: string, summary: string, load: () => Promise<{ command: Command }>) =>
  createEntry(usage.split(' '), summary, false, load)

/** Every command, in the order `--help` lists them. Each lives in the file of its name and is loaded only when called. */
export const commands: CommandEntry[] = [
  everydayEntry('ls', 'every session, newest first, and where it stands', () => import('./ls.ts')),
  everydayEntry(
    'show [sid]',
    'one session whole: contract, evidence, verdict, how to fetch the work',
    () => import('./show.ts'),
  ),
  everydayEntry('watch [sid]', 'follow it live, until there is a verdict', () => import('./watch.ts')),
  everydayEntry(
    'attach [sid] [window]',
    "sit down at the orchestrator's terminal (detach: Ctrl-b d)",
    () => import('./attach.ts'),
  ),
  everydayEntry(
    'stop [sid…]',
    'end every process of a session (--all: of each); what is on disk stays',
    () => import('./stop.ts'),
  ),
  rareEntry('apply [sid]', 'bring the judged work into your repository, as a branch', () => import('./apply.ts')),
  rareEntry('rm <sid…>', "remove a session's folder; work that is nowhere else is kept", () => import('./rm.ts')),
  rareEntry(
    'logs [sid] [who]',
    'what runner, orchestrator and workers said, in their own words',
    () => import('./logs.ts'),
  ),
  rareEntry('contract [sid]', 'the contract, with the state of each clause beside it', () => import('./contract.ts')),
  rareEntry(
    'matrix [sid]',
    'sentence, clause, check, evidence, verdict on one page, for a pull request',
    () => import('./matrix.ts'),
  ),
  rareEntry(
    'audit [sid]',
    'is the record of a session whole and unforged? also of a copied folder',
    () => import('./audit.ts'),
  ),
  rareEntry('cost [sid]', 'dollars, tokens and time of one session, or of all by day', () => import('./cost.ts')),
  rareEntry(
    'prepare',
    'what a repository needs: commands that fetch its dependencies, files its tests need',
    () => import('./prepare.ts'),
  ),
  rareEntry(
    'say <sid> [words…]',
    'say something to the orchestrator, now, and know that it arrived',
    () => import('./say.ts'),
  ),
  rareEntry(
    'approve <sid>',
    'say yes or no to the contract of a session begun with --approve',
    () => import('./approve.ts'),
  ),
  rareEntry('wait [sid]', 'block until there is a verdict; the exit code tells it', () => import('./wait.ts')),
  rareEntry(
    'notify [what]',
    'how you are told: set up a phone, prove each channel, see what was sent (setup, test, log)',
    () => import('./notify.ts'),
  ),
  rareEntry('doctor', 'check this machine, with the fix for each thing that is wrong', () => import('./doctor.ts')),
  rareEntry(
    'setup',
    'add the one trust entry claude needs for your own login, after showing it',
    () => import('./setup.ts'),
  ),
  rareEntry(
    'uninstall',
    'take back, byte for byte, what setup wrote in files of yours',
    () => import('./uninstall.ts'),
  ),
  rareEntry(
    'rehearse [scenario]',
    'the whole path on scripted models: free, offline, all else real',
    () => import('./rehearse.ts'),
  ),
  rareEntry(
    'smoke-test',
    'the whole path with real models, which costs money; and how they differ from our scripts',
    () => import('./smoke-test.ts'),
  ),
  rareEntry('completions <shell>', 'what makes Tab work in bash, zsh and fish', () => import('./completions.ts')),
  rareEntry('web', 'the observatory: every session on a read-only page', () => import('./web.ts')),
  rareEntry(
    'watchdog',
    'give every session that lost its runner a new one; --watch goes on for ever',
    () => import('./watchdog.ts'),
  ),
]

/** `dispatch --help`, or the help of one command. */
export async function printHelp(about?: string): Promise<number> {
  const one = about === 'task' ? taskEntry : commands.find(({ name }) => name === about)
  if (about !== undefined && about !== '--version' && !one)
    throw new DispatchError(`there is no command "${about}"`, {
      exitCode: exitCodes.notFound,
      remedy: 'Run `dispatch --help`.',
    })
  if (about === '--version') process.stdout.write(`${readVersion()}\n`)
  else process.stdout.write(one ? formatHelp(one, await one.load()) : formatOverview())
  return exitCodes.ok
}

export function readVersion(): string {
  return String(JSON.parse(readFileSync(path.join(installFolder, 'package.json'), 'utf8')).version)
}

function formatOverview(): string {
  const row = (usage: string, summary: string) => formatHanging(`  dispatch ${usage.padEnd(22)} `, summary.split(' '))
  const rows = (everyday: boolean) =>
    commands
      .filter(command => command.isEveryday === everyday)
      .map(({ name, argumentUsage, summary }) => row(`${name} ${argumentUsage}`.trim(), summary))
      .join('\n')
  return `${foldText('Claude Dispatch: leave coding agents running while you sleep, and believe the word PASS in the morning.')}

Every day:
${row('"task"', 'plan it, contract it, have it built and judged, in the background')}
${rows(true)}

Now and then:
${rows(false)}

${foldText(MORE_HELP)}
`
}

const MORE_HELP = `
A task can come from --file F or from standard input (dispatch -). Inside a git repository the work is done on a copy of
it; your own checkout is never written. \`dispatch <command> --help\` and \`dispatch "task" --help\` say more.

Exit codes: 0 PASS or done, 2 bad input, 3 FAIL, 4 not found, 5 conflict, 6 something is missing on this machine,
7 claude is not logged in, 10 disk, 12 INCONCLUSIVE or it waits for you, 13 somebody has changed the record,
124 it took too long, 130 Ctrl-c.
`.trim()
