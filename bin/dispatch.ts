import { runCommand } from '#cli/command.ts'
import { commands, printHelp, taskEntry } from '#cli/commands/index.ts'
import { main } from '#cli/main.ts'
import { DispatchError, exitCodes } from '#host/error.ts'

/** `dispatch "task"`, or one of its commands. A lone word that is no command is more likely a slip than a task. */
await main(async () => {
  requireFolder()
  const [first, ...rest] = process.argv.slice(2)
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') return printHelp(rest[0])
  if (first === '--version') return printHelp('--version')
  if (first === 'completions' && rest[0] === '--')
    return (await import('#cli/commands/completions.ts')).answerShell(rest.slice(1), { commands, task: taskEntry })
  const known = commands.find(({ name }) => name === first)
  if (known) return runCommand(known, rest)
  if (/^[a-z][a-z-]{0,30}$/.test(first) && rest.length === 0) {
    const near = commands.find(({ name }) => name.startsWith(first.slice(0, 2)))
    throw new DispatchError(`"${first}" is not a command`, {
      exitCode: exitCodes.usage,
      remedy: `${near ? `Did you mean \`dispatch ${near.name}\`? ` : ''}A task of one word goes behind two dashes: dispatch -- ${first}`,
    })
  }
  return runCommand(taskEntry, process.argv.slice(2))
})

/** Nothing runs in a folder that has been deleted under us: git and claude end there without a word. */
function requireFolder(): void {
  try {
    process.cwd()
  } catch {
    throw new DispatchError('the folder you are in is no longer there', {
      exitCode: exitCodes.usage,
      remedy: 'Go to another one (`cd`), then run the command again.',
    })
  }
}
