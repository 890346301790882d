import { diagnoseScreen } from './screen.ts'

/** The state of claude's input line: empty, holding a text that was not sent, or hidden and why. */
export type InputLine = { kind: 'empty' } | { kind: 'holds'; text: string } | { kind: 'hidden'; reason: string }

/**
 * Find claude's input line on a screen that was captured with its styles: it is between the last two rules, behind a
 * `❯`. An input line with only dim text (`Press up to edit queued messages`) counts as empty. A permission dialog, a
 * menu or the list of sessions (which has its own input line) hides it. Recorded from claude 2.1.329. Pure.
 */
export function parseInputLine(screen: string): InputLine {
  const styled = screen.trimEnd().split('\n')
  const lines = styled.map(stripStyles)
  const lastRule = lines.findLastIndex(isRule)
  const firstRule = lines.findLastIndex((line, index) => index < lastRule && isRule(line))
  const input = lines.slice(firstRule + 1, lastRule)
  const below = lines.slice(lastRule + 1)
  if (firstRule < 0 || below.length > MAX_LINES_BELOW || !input[0]?.startsWith('❯'))
    return { kind: 'hidden', reason: describeCover(lines) }
  if (below.some(line => /enter to return|space to reply/.test(line)))
    return { kind: 'hidden', reason: "the list of claude's sessions is open" }
  const typed = styled
    .slice(firstRule + 1, lastRule)
    .map(extractTyped)
    .join('\n')
    .replace(/^❯/, '')
    .trim()
  if (typed !== '') return { kind: 'holds', text: input.join('\n').replace(/^❯/, '').trim() }
  const hasFooter = below.some(line => /⏵⏵|⏸|\? for shortcuts/.test(line))
  return hasFooter ? { kind: 'empty' } : { kind: 'hidden', reason: describeCover(lines) }
}

// --- internal ---

/** More lines than this below the last rule belong to something else. */
const MAX_LINES_BELOW = 14

/** The part of the screen, counted from below in lines that are not blank, where dialogs and menus appear. */
const COVER_LINES = 24

function isRule(line: string): boolean {
  return /^─{20,}$/.test(line.trim())
}

/** What hides the input line, in words for a person. */
function describeCover(lines: string[]): string {
  const cover = lines.filter(line => line.trim() !== '').slice(-COVER_LINES)
  const question = cover.find(line => /^\s*do you want to /i.test(line))
  if (cover.some(line => /use this api key/i.test(line))) return 'claude asks whether to use the API key'
  if (question !== undefined) return `claude asks for a permission: "${question.trim().slice(0, 120)}"`
  const diagnosis = diagnoseScreen(cover.join('\n'))
  if (diagnosis?.kind === 'dialog') return diagnosis.reason
  if (cover.some(line => /showing detailed transcript/i.test(line))) return 'the detailed transcript is open'
  if (cover.some(line => /for shell mode/.test(line))) return 'the input line is in shell mode, or shows its shortcuts'
  const footer = cover.findLast(line => /\besc to\b|enter to\b/i.test(line))
  return footer === undefined ? "claude's input line is not visible" : `a menu is open: "${footer.trim().slice(0, 80)}"`
}

/** A line without its styles, and with plain spaces. */
function stripStyles(line: string): string {
  return line.replace(STYLE, '').replaceAll('\u00a0', ' ').trimEnd()
}

/** What a person typed in a line: the text that is neither dim nor under the cursor, which is drawn in reverse. */
function extractTyped(line: string): string {
  let isDim = false
  let isReverse = false
  let typed = ''
  for (const part of line.split(STYLE)) {
    if (!part.startsWith('\u001b[')) {
      if (!isDim && !isReverse) typed += part
      continue
    }
    const codes = part.slice(2, -1).split(';').map(Number)
    if (codes[0] === 38 || codes[0] === 48) continue // A color: the numbers behind it are not styles.
    for (const code of codes) {
      if (code === 0) isDim = isReverse = false
      if (code === 2) isDim = true
      if (code === 22) isDim = false
      if (code === 7) isReverse = true
      if (code === 27) isReverse = false
    }
  }
  return typed.replaceAll('\u00a0', ' ').trimEnd()
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a style
const STYLE = /(\u001b\[[0-9;]*m)/gu
