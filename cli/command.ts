import { parseArgs } from 'node:util'
import { DispatchError, exitCodes } from '#host/error.ts'

/** What was typed cannot be used: exit 2. */
export class UsageError extends DispatchError {
  constructor(message: string, remedy = '') {
    super(message, { exitCode: exitCodes.usage, remedy })
  }
}

/** An option as it is typed, shown in `--help`, and completed by a shell. */
export interface CommandOption {
  type: 'string' | 'boolean'
  /** It may be given several times. */
  multiple?: true
  /** The name of its value in `--help`: `FILE`. */
  value?: string
  about: string
  /** Only another process of dispatch uses it: it is neither in the help nor completed. */
  isInternal?: true
}

export type CommandOptions = Record<string, CommandOption>

/** What was typed: true for a switch, text for an option with a value, nothing for an option that was left out. */
export type OptionValues<Known extends CommandOptions> = {
  [Name in keyof Known]?: Known[Name]['type'] extends 'boolean'
    ? boolean
    : Known[Name] extends { multiple: true }
      ? string[]
      : string
}

/** One command: its help, and what it does. */
export interface Command<Known extends CommandOptions = CommandOptions> {
  /** The help text. A paragraph with a line that begins with a space is not wrapped. */
  about: string
  /** Replaces the usage line that is built from the arguments and options. */
  usage?: string
  options?: Known
  /** For a command that is typed in several ways. What a way does not take is exit 2, so that nothing is ignored. */
  forms?: CommandForms<Known>
  /** For completion: the values of an argument, by its name in `CommandEntry.argumentUsage`. */
  choices?: Record<string, () => string[] | Promise<string[]>>
  /** Printed below the error about an unknown option, in place of `See dispatch NAME --help`. */
  optionRemedy?: string
  /** Returns the exit code; nothing is 0. */
  run(values: OptionValues<Known>, args: string[]): Promise<number | undefined>
}

/** The ways in which a command is typed, such as `queue move <item>` or `backup <dir> --verify`. */
export interface CommandForms<Known extends CommandOptions = CommandOptions> {
  /** The options of each, by the words behind the name of the command: `move <item>`, `<dir> --verify`. */
  options: Record<string, readonly (keyof Known & string)[]>
  /** The key of the one that was typed. Left out: the first argument names an action, and without one it is the first form. */
  choose?(values: OptionValues<Known>, args: string[]): string
}

/** The groups of `dispatch --help`, in their order. */
export const commandGroups = [
  'Every day',
  'While you are away',
  'Now and then',
  'Setting up',
  'When something is wrong',
] as const

/** A command as `dispatch --help` lists it; the rest is loaded only when it is called. */
export interface CommandEntry {
  name: string
  /** Its arguments: `<sid>`, `[sid]` if it may be left out, `[sid…]` if there may be several. */
  argumentUsage: string
  summary: string
  group: (typeof commandGroups)[number]
  load(): Promise<Command>
}

/** Keeps the types of the options, so that `run` gets typed values. */
export function defineCommand<const Known extends CommandOptions>(command: Command<Known>): Command {
  return command as unknown as Command
}

/** Parse the arguments and run the command. A wrong command line is exit 2. Returns the exit code. */
export async function runCommand({ name, argumentUsage, load }: CommandEntry, argv: string[]): Promise<number> {
  const command = await load()
  const seeHelp = `See \`dispatch ${name} --help\`.`
  const { values, positionals } = parseOptions(argv, command.options ?? {}, command.optionRemedy ?? seeHelp)
  const known = parseArgumentUsage(argumentUsage)
  const required = known.filter(({ isOptional }) => !isOptional)
  if (positionals.length > known.length && !known.some(({ repeats }) => repeats))
    throw new UsageError(`unexpected argument "${positionals[known.length]}"`, seeHelp)
  if (positionals.length < required.length)
    throw new UsageError(`missing argument <${required[positionals.length]?.name}>`, seeHelp)
  if (command.forms) checkForm(name, command.forms, values, positionals)
  return (await command.run(values, positionals)) ?? exitCodes.ok
}

/** Exit 2 for an action that is not known, and for an option or a word that the form that was typed does not take. */
export function checkForm(
  name: string,
  { options, choose }: CommandForms,
  values: OptionValues<CommandOptions>,
  args: string[],
): void {
  const all = Object.keys(options)
  const form = choose
    ? choose(values, args)
    : args[0] === undefined
      ? all[0]
      : all.find(key => getAction(key) === args[0])
  const own = options[form ?? '']
  if (form === undefined || own === undefined)
    throw new UsageError(`${name} has no action "${args[0]}"`, `Write one of: ${listActions({ options }).join(', ')}`)
  const describe = (each: string) => `${name} ${each}`.trim()
  const foreign = Object.keys(values).find(option => values[option] !== undefined && !own.includes(option))
  const places = all.filter(each => options[each]?.includes(foreign ?? '')).map(describe)
  if (foreign !== undefined)
    throw new UsageError(
      `\`dispatch ${describe(form)}\` does not accept --${foreign}`,
      `It belongs to ${places.join(', ')}`,
    )
  const words = form.split(' ').filter(word => word !== '' && !word.startsWith('--'))
  if (args.length > words.length && !form.includes('…'))
    throw new UsageError(
      `\`dispatch ${describe(form)}\` does not accept "${args[words.length]}"`,
      `See \`dispatch ${name} --help\`.`,
    )
}

/** The actions of a command whose forms begin with one. */
export function listActions({ options }: Pick<CommandForms, 'options'>): string[] {
  return Object.keys(options).map(getAction).filter(Boolean)
}

/** Does the command line ask for help? After `--` it does not. */
export function asksForHelp(argv: string[]): boolean {
  const options = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  return options.includes('--help') || options.includes('-h')
}

/** The arguments of `CommandEntry.argumentUsage`: `<sid>`, `[who]`, `[sid…]`. */
export function parseArgumentUsage(usage: string): { name: string; isOptional: boolean; repeats: boolean }[] {
  return [...usage.matchAll(/([<[])([^>\]…]+)(…?)[>\]]/g)].map(([, bracket, name = '', ellipsis]) => ({
    name,
    isOptional: bracket === '[',
    repeats: ellipsis === '…',
  }))
}

// --- internal ---

const getAction = (form: string): string => form.split(' ')[0] ?? ''

function parseOptions(args: string[], options: CommandOptions, remedy: string) {
  try {
    const parsed = parseArgs({ args, allowPositionals: true, options })
    return parsed as { values: OptionValues<CommandOptions>; positionals: string[] }
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error), remedy)
  }
}
