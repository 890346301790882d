import { DispatchError } from '#host/error.ts'
import { listNames } from '#host/fs'
import { findSession, isSessionId, isWorkerName } from '#session'
import { type Command, type CommandEntry, type CommandOption, parseArgumentUsage } from '../command.ts'
import type { CommandTable } from '../help.ts'
import { readConfigOrDefaults } from '../input/session.ts'
import { print } from '../output/terminal.ts'

/** `dispatch completions -- <words>`: prints one candidate a line, with a tab before its description; `:file`; or `:folder`. */
export async function answerShell(words: string[], table: CommandTable): Promise<number> {
  const candidates = await complete(words, table, { listIds, listSpeakers })
  if (typeof candidates === 'string') print(`:${candidates}`)
  else for (const { word, about } of candidates) print(about === '' ? word : `${word}\t${about}`)
  return 0
}

/** A word that a shell may offer, and what it does; `about` is empty where the word says it all. */
interface Candidate {
  word: string
  about: string
}

/** What is known of the sessions on this machine: only names that are safe in any shell. */
interface SessionNames {
  /** Ids, newest first. */
  listIds(): string[]
  /** Who has a log in this session: orchestrator, runner, workers. */
  listSpeakers(id: string): string[]
}

/** What fits in place of the last of the words typed after `dispatch`. The shell itself lists files and folders. */
export async function complete(
  typed: string[],
  { commands, task }: CommandTable,
  sessions: SessionNames,
): Promise<Candidate[] | 'file' | 'folder'> {
  const words = joinValues(typed)
  const last = words.pop() ?? ''
  const [first] = words
  if (first === undefined && !last.startsWith('-')) return filterByStart(last, [...commands.map(toCandidate), HELP])
  if (first === 'help') return words.length > 1 ? [] : filterByStart(last, [...commands, task].map(toCandidate))
  const entry = commands.find(({ name }) => name === first) ?? task
  const command = await entry.load()
  const { args, openOption, isAfterDashes } = readWords(entry === task ? words : words.slice(1), command)
  if (openOption) return completeValue(openOption)
  if (last.startsWith('-') && !isAfterDashes) {
    const { options = {} } = command
    const [, name = '', equals] = /^--([^=]+)(=?)/.exec(last) ?? []
    if (equals) return completeValue(options[name])
    const open = Object.entries(options).filter(([, { isInternal }]) => !isInternal)
    const known = open.map(([word, { about }]) => ({ word: `--${word}`, about }))
    return filterByStart(last, [...known, { word: '--help', about: 'show the help of this command' }])
  }
  const known = parseArgumentUsage(entry.argumentUsage)
  const argument = known[args.length] ?? known.findLast(({ repeats }) => repeats)
  if (argument === undefined) return []
  const kinds = argument.name.split('|')
  const names = ['who', 'window'].includes(argument.name)
    ? sessions.listSpeakers(args[0] ?? '')
    : args.length < known.length
      ? await command.choices?.[argument.name]?.()
      : []
  const found = [
    ...filterByStart(last, (names ?? []).map(toPlainCandidate)),
    ...(kinds.includes('sid') ? filterIds(last, sessions.listIds()) : []),
  ]
  if (kinds.includes('tarball')) return 'file'
  return kinds.includes('dir') && (found.length === 0 || last.includes('/')) ? 'folder' : found
}

// --- internal ---

const HELP: Candidate = { word: 'help', about: 'show the help of a command' }

/** bash splits `--file=x` into three words. */
function joinValues(typed: string[]): string[] {
  const words: string[] = []
  for (const [index, word] of typed.entries()) {
    const last = words.at(-1) ?? ''
    const isValue = (word === '=' && last.startsWith('--')) || (typed[index - 1] === '=' && last.endsWith('='))
    if (isValue) words[words.length - 1] = last + word
    else words.push(word)
  }
  return words
}

/** What was typed before the last word: the arguments, and an option that still needs its value. */
function readWords(words: string[], { options = {} }: Command) {
  const args: string[] = []
  let openOption: CommandOption | undefined
  let isAfterDashes = false
  for (const word of words) {
    if (openOption) openOption = undefined
    else if (isAfterDashes || word === '-' || !word.startsWith('-')) args.push(word)
    else if (word === '--') isAfterDashes = true
    else if (options[word.slice(2)]?.type === 'string') openOption = options[word.slice(2)]
  }
  return { args, openOption, isAfterDashes }
}

function completeValue(option: CommandOption | undefined): [] | 'file' | 'folder' {
  return option?.value === 'FILE' ? 'file' : ['DIR', 'HOME'].includes(option?.value ?? '') ? 'folder' : []
}

/** Ids that begin with what was typed, or else ids whose last letters do. */
function filterIds(typed: string, ids: string[]): Candidate[] {
  const candidates = filterByStart(typed, ids.map(toPlainCandidate))
  if (candidates.length > 0) return candidates
  return ids.filter(id => id.slice(id.lastIndexOf('-') + 1).startsWith(typed)).map(toPlainCandidate)
}

function filterByStart(start: string, candidates: Candidate[]): Candidate[] {
  return candidates.filter(({ word }) => word.startsWith(start))
}

const toPlainCandidate = (word: string): Candidate => ({ word, about: '' })
const toCandidate = ({ name, summary }: CommandEntry): Candidate => ({ word: name, about: summary })

function listIds(): string[] {
  return listNames(readConfigOrDefaults().workspace).filter(isSessionId).reverse()
}

function listSpeakers(id: string): string[] {
  try {
    const { paths } = findSession(readConfigOrDefaults().workspace, id)
    return ['orchestrator', 'runner', ...listNames(paths.workers).filter(isWorkerName)]
  } catch (error) {
    if (error instanceof DispatchError) return []
    throw error
  }
}
