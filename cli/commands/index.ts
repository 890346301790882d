import type { Command, CommandEntry } from '../command.ts'
import type { CommandTable } from '../help.ts'

type Load = () => Promise<{ command: Command }>

const listUnder =
  (group: CommandEntry['group']) =>
  (usage: string, summary: string, load: Load): CommandEntry => {
    const [name = '', ...args] = usage.split(' ')
    return { group, name, argumentUsage: args.join(' '), summary, load: async () => (await load()).command }
  }

const everyDay = listUnder('Every day')
const later = listUnder('While you are away')
const sometimes = listUnder('Now and then')
const setup = listUnder('Setting up')
const repair = listUnder('When something is wrong')

/** Every command, in the order of `--help`. A command is in the file of its name, which is loaded only when it is called. */
export const commandTable: CommandTable = {
  task: everyDay('task [task…]', 'start a session: agents plan, build and check the task', () => import('./task.ts')),
  commands: [
    everyDay('ls', 'list sessions, newest first, with their state', () => import('./ls.ts')),
    everyDay('show [sid]', 'show a session: contract, evidence, verdict, where the work is', () => import('./show.ts')),
    everyDay('watch [sid]', 'follow a session live until its verdict', () => import('./watch.ts')),
    everyDay('attach [sid] [window]', 'open the terminal of an agent (leave: Ctrl-b d)', () => import('./attach.ts')),
    everyDay('say <sid> [message…]', 'send a message to the orchestrator', () => import('./say.ts')),
    everyDay('approve <sid>', 'review and approve a contract or an amendment', () => import('./approve.ts')),
    everyDay('apply [sid]', 'bring the judged work into your repository, as a branch', () => import('./apply.ts')),
    everyDay('land <sid…>', 'bring the judged work onto the branch of your remote', () => import('./land.ts')),
    everyDay('pr <sid>', 'open a pull request with the judged work', () => import('./pr.ts')),
    everyDay('stop [sid…]', 'end a session (--all: every session); its files stay', () => import('./stop.ts')),

    later('later [task…]', 'put a task into the queue', () => import('./later.ts')),
    later('issue <number>', 'claim an issue on GitHub, and put it into the queue', () => import('./issue.ts')),
    later('issues [action]', 'list the claimed issues, or take those with a label', () => import('./issues.ts')),
    later('split <number>', 'propose how to split an issue; you decide', () => import('./split.ts')),
    later(
      'queue [action] [item]',
      'show what waits, runs and needs you; move it, take it out',
      () => import('./queue.ts'),
    ),
    later(
      'projects [what] [name]',
      'register repositories, whose inbox folders take tasks as files',
      () => import('./projects.ts'),
    ),
    later('resume <sid> [words…]', 'go on with a session that was stopped or cut off', () => import('./resume.ts')),
    later('pause', 'stop new sessions and landings, until you end the pause', () => import('./pause.ts')),
    later('unpause', 'end a pause', () => import('./unpause.ts')),

    sometimes('contract [sid]', 'show the contract, with the state of each clause', () => import('./contract.ts')),
    sometimes('matrix [sid]', 'trace task to verdict on one page, for a pull request', () => import('./matrix.ts')),
    sometimes('cost [sid]', 'add up dollars, tokens and time of one session, or of all', () => import('./cost.ts')),
    sometimes(
      'retry <sid> [words…]',
      'try the task again in a new session that knows the findings',
      () => import('./retry.ts'),
    ),
    sometimes('judge <sid>', 'ask the judge again, where it gave no answer', () => import('./judge.ts')),
    sometimes('wait [sid]', 'wait for the verdict; the exit code reports it', () => import('./wait.ts')),
    sometimes('web', 'serve the read-only web page of all sessions', () => import('./web.ts')),
    sometimes('rm [sid…]', 'remove sessions that you no longer need', () => import('./rm.ts')),
    sometimes('tidy', 'remove what is no longer needed, never your work', () => import('./tidy.ts')),
    sometimes('backup <dir>', 'copy all that cannot be made again to another disk', () => import('./backup.ts')),
    sometimes('restore <dir>', 'bring a backup back', () => import('./restore.ts')),

    setup('rehearse [scenario]', 'run a session with scripted models: free, offline', () => import('./rehearse.ts')),
    setup('setup', 'let claude trust the workspace; add hooks or rules if you like', () => import('./setup.ts')),
    setup('notify [action]', 'set up notifications, test them, see what was sent', () => import('./notify.ts')),
    setup('prepare', 'choose how a repository installs its dependencies', () => import('./prepare.ts')),
    setup('completions <shell>', 'print Tab completion for bash, zsh and fish', () => import('./completions.ts')),
    setup('smoke-test', 'run a session with real models: costs about $0.50', () => import('./smoke-test.ts')),
    setup('service [action]', 'have the system keep the daemon, also after a reboot', () => import('./service.ts')),
    setup('actions [action]', 'run sessions on runners of GitHub Actions', () => import('./actions.ts')),
    setup('update [tarball]', 'install the newest release, or go back to the one before', () => import('./update.ts')),
    setup('uninstall', 'undo what setup changed in your files', () => import('./uninstall.ts')),

    repair('doctor', 'check this machine, and show how to fix each problem', () => import('./doctor.ts')),
    repair('logs [sid] [who]', 'print what runner, orchestrator and workers wrote', () => import('./logs.ts')),
    repair('audit [sid|dir]', 'verify the record of a session, or of a copied folder', () => import('./audit.ts')),
    repair('watchdog', 'start a new runner for each session that lost its own', () => import('./watchdog.ts')),
    repair('daemon', 'what runs beside the sessions: watchdog, queue, notifications', () => import('./daemon.ts')),
  ],
}
