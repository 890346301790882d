import { DispatchError } from '#host/error.ts'
import { hangIndent, measureTextWidth, pad, paint, print, wrap } from '../output/terminal.ts'

/** What to do about a problem, on each system. */
export interface Fix {
  mac: string
  linux: string
}

/** One check of this machine. `fail` keeps every session from starting; `warn` is worth knowing. */
export interface DoctorResult {
  /** What was checked: `git`, `hooks`, `phone`. */
  name: string
  state: 'ok' | 'warn' | 'fail'
  message: string
  fix?: Fix
}

export const ok = (name: string, message: string): DoctorResult => ({ name, state: 'ok', message })
export const warn = (name: string, message: string, fix?: Fix | string): DoctorResult => {
  return { name, state: 'warn', message, ...toFix(fix) }
}
export const fail = (name: string, message: string, fix?: Fix | string): DoctorResult => {
  return { name, state: 'fail', message, ...toFix(fix) }
}

/** For `catch`: an error with a remedy is the result of this check too, so that the others still report theirs. */
export const failWith = (name: string) => (error: unknown) => {
  if (!(error instanceof DispatchError)) throw error
  return fail(name, error.message, error.remedy)
}

/** Print the results as wide as the terminal, with the fixes for this system. */
export function printResults(results: DoctorResult[]): void {
  print(formatResults(results, { width: process.stdout.columns ?? 80, isMac: process.platform === 'darwin' }))
}

/** Two columns, name and message; the fix for this system is below the message. Pure. */
export function formatResults(results: DoctorResult[], { width, isMac }: { width: number; isMac: boolean }): string {
  const column = Math.max(40, Math.min(width, 110)) - INDENT_COLUMNS
  const lines = results.flatMap(({ name, state, message, fix }) => {
    const fixText = fix ? (isMac ? fix.mac : fix.linux) : ''
    const steps = fixText === '' ? [] : hangIndent('→ ', wrap(splitPhrases(fixText, column - 2), column - 2))
    const texts = [...wrap(splitPhrases(message, column), column), ...steps.map(line => paint('cyan', line))]
    return hangIndent(`${paintState(state)}  ${pad(name, 9)} `, texts, INDENT_COLUMNS)
  })
  return lines.join('\n')
}

// --- internal ---

const INDENT_COLUMNS = 16

function paintState(state: DoctorResult['state']): string {
  if (state === 'fail') return paint('red', 'FAIL')
  return state === 'ok' ? paint('green', 'ok  ') : paint('yellow', 'warn')
}

/** The same fix for every system when it is a text; no fix when it is empty. */
function toFix(fix: Fix | string | undefined): { fix?: Fix } {
  if (!fix) return {}
  return { fix: typeof fix === 'string' ? { mac: fix, linux: fix } : fix }
}

/** Words. A command in backquotes stays one word where it fits in a line, so that you can copy it. */
function splitPhrases(text: string, width: number): string[] {
  const phrases = text.match(/(?:`[^`]*`|[^\s`])+/g) ?? ['']
  return phrases.flatMap(phrase => (measureTextWidth(phrase) > width ? phrase.split(' ') : [phrase]))
}
