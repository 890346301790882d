import { paint } from '../terminal.ts'

/** What to do about it, on each system. */
export interface Fix {
  mac: string
  linux: string
}

/** One thing that was looked at: `bad` keeps every session from starting, `weak` is worth knowing. */
export interface Symptom {
  about: string
  state: 'good' | 'weak' | 'bad'
  found: string
  fix?: Fix
}

export const good = (about: string, found: string): Symptom => ({ about, state: 'good', found })
export const weak = (about: string, found: string, fix?: Fix | string): Symptom => wrong('weak', about, found, fix)
export const bad = (about: string, found: string, fix?: Fix | string): Symptom => wrong('bad', about, found, fix)

/** The symptoms as a person reads them: two columns, and the fix for this system below what it mends. */
export function layout(symptoms: Symptom[], { width, mac }: { width: number; mac: boolean }): string {
  const most = Math.max(40, Math.min(width, 110)) - indent
  const lines = symptoms.flatMap(({ about, state, found, fix }) => {
    const [first = '', ...more] = wrap(found, most)
    const mend = fix ? wrap(`→ ${mac ? fix.mac : fix.linux}`, most) : []
    return [
      `${marks[state]()}  ${about.padEnd(9)} ${first}`,
      ...more.map(line => `${' '.repeat(indent)}${line}`),
      ...mend.map((line, at) => `${' '.repeat(indent)}${paint('cyan', at === 0 ? line : `  ${line}`)}`),
    ]
  })
  return lines.join('\n')
}

/** Lines of at most `width`; what stands in backquotes stays whole where it can, for it is to be copied. Pure. */
export function wrap(text: string, width: number): string[] {
  const words = text.match(/(?:`[^`]*`|[^\s`])+/g) ?? []
  const lines: string[] = []
  for (const word of words.flatMap(each => (each.length > width ? each.split(' ') : [each]))) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width - 2) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

// --- internal ---

const indent = 16

const marks = {
  good: () => paint('green', 'ok  '),
  weak: () => paint('yellow', 'note'),
  bad: () => paint('red', 'BAD '),
}

function wrong(state: 'weak' | 'bad', about: string, found: string, fix: Fix | string | undefined): Symptom {
  if (fix === undefined || fix === '') return { about, state, found }
  return { about, state, found, fix: typeof fix === 'string' ? { mac: fix, linux: fix } : fix }
}
