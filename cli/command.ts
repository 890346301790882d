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
  /** For completion: the values of an argument, by its name in `CommandEntry.argumentUsage`. */
  choices?: Record<string, () => string[] | Promise<string[]>>
  /** Printed below the error about an unknown option, in place of `See dispatch NAME --help`. */
  optionRemedy?: string
  /** Returns the exit code; nothing is 0. */
  run(values: OptionValues<Known>, args: string[]): Promise<number | undefined>
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
  return (await command.run(values, positionals)) ?? exitCodes.ok
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

function parseOptions(args: string[], options: CommandOptions, remedy: string) {
  try {
    const parsed = parseArgs({ args, allowPositionals: true, options })
    return parsed as { values: OptionValues<CommandOptions>; positionals: string[] }
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error), remedy)
  }
}
