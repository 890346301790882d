import { DispatchError, exits } from '../host/index.ts'
import { perform } from './command.ts'
import { commands, overview, task } from './commands/index.ts'
import { main } from './main.ts'

/** `dispatch "task"`, or one of its commands. A lone word that is no command is more likely a slip than a task. */
await main(async () => {
  requireFolder()
  const [first, ...rest] = process.argv.slice(2)
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') return overview(rest[0])
  if (first === '--version') return overview('--version')
  if (first === 'completions' && rest[0] === '--')
    return (await import('./commands/completions.ts')).answerShell(rest.slice(1), { commands, task })
  const known = commands.find(({ name }) => name === first)
  if (known) return perform(known, rest)
  if (/^[a-z][a-z-]{0,30}$/.test(first) && rest.length === 0) {
    const near = commands.find(({ name }) => name.startsWith(first.slice(0, 2)))
    throw new DispatchError(`"${first}" is not a command`, {
      exit: exits.usage,
      remedy: `${near ? `Did you mean \`dispatch ${near.name}\`? ` : ''}A task of one word goes behind two dashes: dispatch -- ${first}`,
    })
  }
  return perform(task, process.argv.slice(2))
})

/** Nothing runs in a folder that has been deleted under us: git and claude end there without a word. */
function requireFolder(): void {
  try {
    process.cwd()
  } catch {
    throw new DispatchError('the folder you are in is no longer there', {
      exit: exits.usage,
      remedy: 'Go to another one (`cd`), then run the command again.',
    })
  }
}
