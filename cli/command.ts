import { parseArgs } from 'node:util'
import { DispatchError, exitCodes } from '#host/error.ts'
import { getTerminalWidth, hang, measureTextWidth, wrap } from './output/terminal.ts'

/** An option as it is typed, told of in `--help`, and completed by a shell. */
export interface CommandOption {
  type: 'string' | 'boolean'
  /** It may be given more than once. */
  multiple?: true
  /** What stands for its value in `--help`: `FILE`. */
  value?: string
  about: string
}

export type CommandOptions = Record<string, CommandOption>

/** What was typed: a boolean for a switch, text for an option with a value, nothing for what was left out. */
export type OptionValues<Known extends CommandOptions> = {
  [Name in keyof Known]?: Known[Name]['type'] extends 'boolean'
    ? boolean
    : Known[Name] extends { multiple: true }
      ? string[]
      : string
}

/** One command: what `--help` tells of it, and what it does. Answers the exit code. */
export interface Command<Known extends CommandOptions = CommandOptions> {
  /** Plain words; a paragraph with lines that begin with blanks is not folded. */
  about: string
  /** In place of what would be made of the words and options. */
  usage?: string
  options?: Known
  /** For completion: the values a word can have, by its name in `Entry.words`. */
  choices?: Record<string, () => string[] | Promise<string[]>>
  /** Said below the error when the words on the line are not understood. */
  remedy?: string
  run(values: OptionValues<Known>, words: string[]): Promise<number>
}

/** Where a command stands on the command line: its usual face, and how to get at the rest of it. */
export interface CommandEntry {
  name: string
  /** What it takes: `<sid>`, `[sid]` where it may be left out, `[sid…]` where there may be several. */
  argumentUsage: string
  summary: string
  isEveryday: boolean
  load(): Promise<Command>
}

/** Keeps the types of the options, so that `run` knows what it gets. */
export function defineCommand<const Known extends CommandOptions>(command: Command<Known>): Command {
  return command as unknown as Command
}

/** Run a command on the words that were typed, or print its help. */
export async function runCommand(entry: CommandEntry, typed: string[]): Promise<number> {
  const loaded = await entry.load()
  const upToDashes = typed.includes('--') ? typed.slice(0, typed.indexOf('--')) : typed
  if (upToDashes.includes('--help') || upToDashes.includes('-h')) {
    process.stdout.write(formatHelp(entry, loaded))
    return exitCodes.ok
  }
  const { values, positionals } = parseTyped(entry, loaded, typed)
  return loaded.run(values, positionals)
}

/** The help of one command, made of what it says of itself. */
export function formatHelp({ name, argumentUsage }: CommandEntry, { about, usage, options = {} }: Command): string {
  const known = Object.entries(options).map(([option, told]) => [formatOption(option, told), told.about] as const)
  const optional = known.map(([option]) => `[${option}]`)
  const made = formatHanging(`usage: dispatch ${name} `, [argumentUsage, ...optional].filter(Boolean))
  const width = Math.max(0, ...known.map(([option]) => option.length))
  const rows = known.map(([option, told]) => formatHanging(`  ${option.padEnd(width)}   `, told.split(' ')))
  const first = usage === undefined ? made : `usage: dispatch ${usage}`
  return [first, '', foldText(about.trim()), ...(rows.length > 0 ? ['', ...rows] : []), ''].join('\n')
}

/** How wide help is laid out: as the terminal, but no wider than people read. */
export function getHelpWidth(): number {
  return Math.min(Math.max(getTerminalWidth(), 40), 110)
}

/** Words behind a lead, folded below each other where they do not fit. */
export function formatHanging(lead: string, words: string[]): string {
  return hang(lead, wrap(words, getHelpWidth() - measureTextWidth(lead)))
    .join('\n')
    .trimEnd()
}

/** Paragraphs folded to the width of the terminal; one with lines that begin with blanks stays as it is. */
export function foldText(text: string): string {
  const paragraphs = text.split('\n\n')
  return paragraphs
    .map(one => (/^ /m.test(one) ? one : formatHanging('', one.split('\n').join(' ').split(' '))))
    .join('\n\n')
}

/** `<sid>`, `[who]`, `[sid…]` of `Entry.words`, in their order. */
export function placesOf(words: string): { name: string; isOptional: boolean; repeats: boolean }[] {
  return [...words.matchAll(/([<[])([^>\]…]+)(…?)[>\]]/g)].map(([, bracket, name = '', more]) => ({
    name,
    isOptional: bracket === '[',
    repeats: more === '…',
  }))
}

// --- internal ---

function parseTyped({ name, argumentUsage }: CommandEntry, { options = {}, remedy }: Command, typed: string[]) {
  const slip = (what: string) =>
    new DispatchError(what, {
      exitCode: exitCodes.usage,
      remedy: remedy ?? `\`dispatch ${name} --help\` tells what it takes.`,
    })
  try {
    const found = parseArgs({ args: typed, allowPositionals: true, options })
    const [least, most] = countArguments(argumentUsage)
    if (found.positionals.length > most)
      throw slip(`"${found.positionals[most]}" is one word too many: dispatch ${name} ${argumentUsage}`.trim())
    if (found.positionals.length < least) throw slip(`a word is missing: dispatch ${name} ${argumentUsage}`)
    return found as { values: OptionValues<CommandOptions>; positionals: string[] }
  } catch (error) {
    if (error instanceof DispatchError) throw error
    throw slip(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error))
  }
}

/** How many words there must and may be. */
function countArguments(words: string): [least: number, most: number] {
  const places = placesOf(words)
  const most = places.some(({ repeats }) => repeats) ? Number.POSITIVE_INFINITY : places.length
  return [places.filter(({ isOptional }) => !isOptional).length, most]
}

function formatOption(name: string, { value }: CommandOption): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`
}
