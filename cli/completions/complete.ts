import { type Command, type CommandEntry, placesOf } from '../command.ts'
/** A word that a shell may offer, and what it does; empty where the word says it all. */
export interface Candidate {
  word: string
  about: string
}

/** The table of commands. `task` is what `dispatch` does when its first word is no command. */
export interface Table {
  commands: CommandEntry[]
  task: CommandEntry
}

/** What is known of the sessions on this machine. */
export interface Known {
  /** Ids, newest first. */
  ids(): string[]
  /** Who has a log in this session: runner, orchestrator, workers. */
  who(id: string): string[]
}

/** What fits in place of the last of the words typed after `dispatch`. Files and folders are for the shell to list. */
export async function complete(
  typed: string[],
  { commands, task }: Table,
  known: Known,
): Promise<Candidate[] | 'file' | 'folder'> {
  const words = joinValues(typed)
  const last = words.pop() ?? ''
  const [first] = words
  if (first === undefined && !last.startsWith('-')) return startingWith(last, commands.map(named))
  if (first === 'help' && words.length > 1) return []
  if (first === 'help') return startingWith(last, [...commands.map(named), { word: 'task', about: task.summary }])
  const entry = commands.find(({ name }) => name === first) ?? task
  const command = await entry.load()
  const { given, unfinished, onlyWords } = read(entry === task ? words : words.slice(1), command)
  if (unfinished) return valuesOf(unfinished)
  if (last.startsWith('-') && !onlyWords) {
    const [, name, isValue] = /^--([^=]+)(=?)/.exec(last) ?? []
    return isValue ? valuesOf(command.options?.[name ?? '']) : startingWith(last, optionsOf(command))
  }
  const places = placesOf(entry.argumentUsage)
  const place = places[given.length] ?? places.findLast(({ repeats }) => repeats)
  if (place === undefined) return []
  if (place.name === 'sid') return idsFor(last, known.ids())
  const all = ['who', 'window'].includes(place.name)
    ? known.who(given[0] ?? '')
    : await command.choices?.[place.name]?.()
  return startingWith(last, (all ?? []).map(plain))
}

// --- internal ---

/** bash splits `--file=x` into three words. */
function joinValues(typed: string[]): string[] {
  const words: string[] = []
  for (const [at, word] of typed.entries()) {
    const last = words.at(-1) ?? ''
    const isValue = (word === '=' && last.startsWith('--')) || (typed[at - 1] === '=' && last.endsWith('='))
    if (isValue) words[words.length - 1] = last + word
    else words.push(word)
  }
  return words
}

/** What was typed before the last word: the words, and an option that still needs its value. */
function read(words: string[], { options = {} }: Command) {
  const given: string[] = []
  let unfinished: { value?: string } | undefined
  let onlyWords = false
  for (const word of words) {
    if (unfinished) unfinished = undefined
    else if (onlyWords || word === '-' || !word.startsWith('-')) given.push(word)
    else if (word === '--') onlyWords = true
    else if (options[word.slice(2)]?.type === 'string') unfinished = options[word.slice(2)]
  }
  return { given, unfinished, onlyWords }
}

function valuesOf(option: { value?: string } | undefined): [] | 'file' | 'folder' {
  return option?.value === 'FILE' ? 'file' : option?.value === 'DIR' ? 'folder' : []
}

function optionsOf({ options = {} }: Command): Candidate[] {
  const own = Object.entries(options).map(([name, { about }]) => ({ word: `--${name}`, about }))
  return [...own, { word: '--help', about: 'what it does and what it takes' }]
}

/** Ids that begin with what was typed, or else those whose last letters do. */
function idsFor(last: string, ids: string[]): Candidate[] {
  const found = startingWith(last, ids.map(plain))
  return found.length > 0 ? found : ids.filter(id => id.slice(id.lastIndexOf('-') + 1).startsWith(last)).map(plain)
}

function startingWith(start: string, candidates: Candidate[]): Candidate[] {
  return candidates.filter(({ word }) => word.startsWith(start))
}

const plain = (word: string): Candidate => ({ word, about: '' })
const named = ({ name, summary }: CommandEntry): Candidate => ({ word: name, about: summary })
