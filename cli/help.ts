import { readFileSync } from 'node:fs'
import path from 'node:path'
import { installFolder } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { type Command, type CommandEntry, commandGroups } from './command.ts'
import { getTerminalWidth, hangIndent, measureTextWidth, wrap } from './output/terminal.ts'

/** Every command, in the order of `--help`, and the one that runs when the first argument is not a command. */
export interface CommandTable {
  commands: CommandEntry[]
  task: CommandEntry
}

/** Print `dispatch --help`, or the help of the command with this name (exit 4 for an unknown one). */
export async function printHelp(table: CommandTable, name?: string): Promise<number> {
  if (name === undefined) {
    process.stdout.write(formatOverview(table))
    return exitCodes.ok
  }
  const entry = name === 'task' ? table.task : table.commands.find(command => command.name === name)
  if (!entry)
    throw new DispatchError(`there is no command "${name}"`, {
      exitCode: exitCodes.notFound,
      remedy: '`dispatch --help` lists the commands.',
    })
  return printCommandHelp(entry)
}

export async function printCommandHelp(entry: CommandEntry): Promise<number> {
  process.stdout.write(formatHelp(entry, await entry.load()))
  return exitCodes.ok
}

export function printVersion(): number {
  process.stdout.write(`${JSON.parse(readFileSync(path.join(installFolder, 'package.json'), 'utf8')).version}\n`)
  return exitCodes.ok
}

/** Paragraphs wrapped to the width of the terminal; one with a line that begins with a space stays as it is. */
export function foldText(text: string): string {
  const paragraphs = text.split('\n\n')
  return paragraphs
    .map(paragraph => (/^ /m.test(paragraph) ? paragraph : formatHanging('', paragraph.replaceAll('\n', ' '))))
    .join('\n\n')
}

// --- internal ---

const MAX_HELP_COLUMNS = 110
const MIN_HELP_COLUMNS = 40

function formatHelp({ name, argumentUsage }: CommandEntry, { about, usage, options = {} }: Command): string {
  const known = Object.entries(options).filter(([, { isInternal }]) => !isInternal)
  const rows = known.map(
    ([option, { value, about: text }]) => [value === undefined ? `--${option}` : `--${option} ${value}`, text] as const,
  )
  const phrases = [argumentUsage, ...rows.map(([option]) => `[${option}]`)].filter(phrase => phrase !== '')
  const usageLine = usage === undefined ? hangPhrases(`usage: dispatch ${name} `, phrases) : `usage: dispatch ${usage}`
  const width = Math.max(0, ...rows.map(([option]) => option.length))
  const optionLines = rows.map(([option, text]) => formatHanging(`  ${option.padEnd(width)}   `, text))
  return [usageLine, '', foldText(about.trim()), ...(rows.length > 0 ? ['', ...optionLines] : []), ''].join('\n')
}

function formatOverview({ commands, task }: CommandTable): string {
  const groups = commandGroups.map(group => {
    const entries = [task, ...commands].filter(entry => entry.group === group)
    const lines = entries.map(({ name, argumentUsage, summary }) => {
      const usage = `${name === 'task' ? '' : name} ${argumentUsage.replace('[task…]', '"task"')}`.trim()
      return formatHanging(`  dispatch ${usage.padEnd(22)} `, summary)
    })
    return [`${group}:`, ...lines].join('\n')
  })
  return `${[foldText(INTRODUCTION), ...groups, foldText(EPILOGUE)].join('\n\n')}\n`
}

/** A text behind a lead, wrapped below its own first word. */
function formatHanging(lead: string, text: string): string {
  return hangPhrases(lead, text.split(' '))
}

function hangPhrases(lead: string, phrases: string[]): string {
  const width = Math.min(Math.max(getTerminalWidth(), MIN_HELP_COLUMNS), MAX_HELP_COLUMNS)
  return hangIndent(lead, wrap(phrases, width - measureTextWidth(lead)))
    .join('\n')
    .trimEnd()
}

const INTRODUCTION = 'Claude Dispatch runs coding agents while you sleep, and checks their work before it says PASS.'

const EPILOGUE = `
A task can also come from a file (--file F) or from standard input (dispatch -). In a git repository, the work happens on
a copy of it; a session never writes to your checkout. <sid> is a session's id; its last four letters are enough.
\`dispatch <command> --help\` and \`dispatch "task" --help\` have the details.

Exit codes:
    0  PASS, or done                   8  a notification or a remote failed
    1  a bug in dispatch              10  disk full, or not writable
    2  wrong usage                    11  no sandbox, though required
    3  FAIL                           12  INCONCLUSIVE, or waiting for you
    4  not found                      13  a session record was modified
    5  conflict, or you said no      124  timeout
    6  a program or host is missing  130  Ctrl-c; 129 SIGHUP, 143 SIGTERM
    7  no login, key or trust        141  no verdict yet: the output is closed
`.trim()
