import { parseArgs } from 'node:util'
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
  const [entry, args] = command ? [command, rest] : [commandTable.task, argv]
  if (asksForHelp(args)) return (await help()).printCommandHelp(entry)
  if (!command) await refuseTypo(argv)
  return runCommand(entry, args)
}

// --- internal ---

/** A single word that is not a command is more likely a typo than a task, whatever options are beside it: a session costs money. */
async function refuseTypo(args: string[]): Promise<void> {
  const { options = {} } = await commandTable.task.load()
  const { positionals, tokens } = parseArgs({ args, options, allowPositionals: true, strict: false, tokens: true })
  const isMeant = tokens.some(token => token.kind === 'option-terminator' || ('name' in token && token.name === 'file'))
  const [word = ''] = positionals
  if (isMeant || positionals.length !== 1 || !/^[a-z][a-z-]{0,30}$/.test(word)) return
  const similar = commandTable.commands.find(({ name }) => name.startsWith(word.slice(0, 2)))
  const question = similar ? `Did you mean \`dispatch ${similar.name}\`? ` : ''
  throw new UsageError(`there is no command "${word}"`, `${question}For a task of one word: dispatch -- ${word}`)
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
