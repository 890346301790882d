import { asksForHelp, runCommand, UsageError } from './command.ts'
import { commandTable } from './commands/index.ts'

/** Run `dispatch` with these arguments: one of its commands, or a task. Returns the exit code. */
export async function runDispatch(argv: string[]): Promise<number> {
  requireFolder()
  const [first, ...rest] = argv
  const help = () => import('./help.ts')
  if (first === undefined || first === '--help' || first === '-h') return (await help()).printHelp(commandTable)
  if (first === 'help') return (await help()).printHelp(commandTable, rest[0])
  if (first === '--version') return (await help()).printVersion()
  if (first === 'completions' && rest[0] === '--')
    return (await import('./completions/complete.ts')).answerShell(rest.slice(1), commandTable)
  const command = commandTable.commands.find(({ name }) => name === first)
  if (!command) refuseTypo(argv)
  const [entry, args] = command ? [command, rest] : [commandTable.task, argv]
  return asksForHelp(args) ? (await help()).printCommandHelp(entry) : runCommand(entry, args)
}

// --- internal ---

/** A single word that is not a command is more likely a typo than a task. */
function refuseTypo([first = '', ...rest]: string[]): void {
  if (rest.length > 0 || !/^[a-z][a-z-]{0,30}$/.test(first)) return
  const similar = commandTable.commands.find(({ name }) => name.startsWith(first.slice(0, 2)))
  const question = similar ? `Did you mean \`dispatch ${similar.name}\`? ` : ''
  throw new UsageError(`there is no command "${first}"`, `${question}For a task of one word: dispatch -- ${first}`)
}

/** In a folder that was deleted, git and claude end without a message. */
function requireFolder(): void {
  try {
    process.cwd()
  } catch {
    throw new UsageError(
      'the current folder no longer exists',
      'Go to another folder (`cd`), then run the command again.',
    )
  }
}
