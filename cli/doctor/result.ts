import { hang, measureTextWidth, pad, paint, wrap } from '../output/terminal.ts'
/** What to do about it, on each system. */
export interface Fix {
  mac: string
  linux: string
}

/** One thing that was looked at: `bad` keeps every session from starting, `weak` is worth knowing. */
export interface DoctorResult {
  about: string
  state: 'good' | 'weak' | 'bad'
  found: string
  fix?: Fix
}

export const ok = (about: string, found: string): DoctorResult => ({ about, state: 'good', found })
export const warn = (about: string, found: string, fix?: Fix | string): DoctorResult =>
  createResult('weak', about, found, fix)
export const fail = (about: string, found: string, fix?: Fix | string): DoctorResult =>
  createResult('bad', about, found, fix)

/** The symptoms as a person reads them: two columns, and the fix for this system below what it mends. */
export function formatResults(results: DoctorResult[], { width, mac }: { width: number; mac: boolean }): string {
  const column = Math.max(40, Math.min(width, 110)) - INDENT
  const lines = results.flatMap(({ about, state, found, fix }) => {
    const text = fix ? (mac ? fix.mac : fix.linux) : ''
    const steps = text === '' ? [] : hang('→ ', wrap(phrasesOf(text, column - 2), column - 2))
    const texts = [...wrap(phrasesOf(found, column), column), ...steps.map(line => paint('cyan', line))]
    return hang(`${marks[state]()}  ${pad(about, 9)} `, texts, INDENT)
  })
  return lines.join('\n')
}

// --- internal ---

const INDENT = 16

const marks = {
  good: () => paint('green', 'ok  '),
  weak: () => paint('yellow', 'note'),
  bad: () => paint('red', 'BAD '),
}

/** Words. A command in backquotes stays one word where it fits in a line, so that it can be copied. */
function phrasesOf(text: string, width: number): string[] {
  const phrases = text.match(/(?:`[^`]*`|[^\s`])+/g) ?? ['']
  return phrases.flatMap(phrase => (measureTextWidth(phrase) > width ? phrase.split(' ') : [phrase]))
}

function createResult(
  state: 'weak' | 'bad',
  about: string,
  found: string,
  fix: Fix | string | undefined,
): DoctorResult {
  if (fix === undefined || fix === '') return { about, state, found }
  return { about, state, found, fix: typeof fix === 'string' ? { mac: fix, linux: fix } : fix }
}
