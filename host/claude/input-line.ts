import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { listNames } from '../fs/files.ts'
import { diagnoseScreen } from './claude.ts'
/** What claude's input line stands at: empty, holding words nobody has sent yet, or not to be seen, and why. */
export type InputLine = { kind: 'empty' } | { kind: 'holds'; text: string } | { kind: 'hidden'; reason: string }

/**
 * Find claude's input line on a screen that was captured with its styles: between the last two rules, behind a `❯`. The
 * dim words in an empty one (`Press up to edit queued messages`) count as empty. Whatever covers it (a permission, a menu,
 * the list of sessions, which has an input line of its own) hides it. Recorded from 2.1.329. Pure.
 */
export function parseInputLine(screen: string): InputLine {
  const styled = screen.trimEnd().split('\n')
  const lines = styled.map(stripStyles)
  const last = lines.findLastIndex(isRule)
  const first = lines.findLastIndex((line, at) => at < last && isRule(line))
  const text = lines.slice(first + 1, last)
  const below = lines.slice(last + 1)
  if (first < 0 || below.length > 14 || !text[0]?.startsWith('❯'))
    return { kind: 'hidden', reason: describeCover(lines) }
  if (below.some(line => /enter to return|space to reply/.test(line)))
    return { kind: 'hidden', reason: "the list of claude's sessions is open" }
  const typed = styled
    .slice(first + 1, last)
    .map(extractTyped)
    .join('\n')
    .replace(/^❯/, '')
    .trim()
  if (typed !== '') return { kind: 'holds', text: text.join('\n').replace(/^❯/, '').trim() }
  const isOwn = below.some(line => /⏵⏵|⏸|\? for shortcuts/.test(line))
  return isOwn ? { kind: 'empty' } : { kind: 'hidden', reason: describeCover(lines) }
}

/** What a transcript says of one prompt: it began a turn, it waits in the queue of a running one, or the queue was taken up. */
type TranscriptPrompt = { kind: 'began' | 'queued'; text: string } | { kind: 'taken' }

/** The prompts in these lines of a transcript, in order. Tool results, hooks' words and torn lines are none. Pure. */
export function parseTranscriptPrompts(lines: string): TranscriptPrompt[] {
  return lines.split('\n').flatMap((line): TranscriptPrompt[] => {
    const entry = Entry.safeParse(parseJson(line)).data
    if (entry?.type === 'user') return entry.isMeta ? [] : [{ kind: 'began', text: entry.message.content }]
    if (entry?.type === 'queue-operation')
      return entry.operation === 'enqueue' ? [{ kind: 'queued', text: entry.content ?? '' }] : [{ kind: 'taken' }]
    return []
  })
}

/** Where claude keeps the record of this talk; undefined while there is none. */
export function findTranscript(configDirectory: string | null, claudeSession: string): string | undefined {
  const projects = path.join(configDirectory ?? path.join(os.homedir(), '.claude'), 'projects')
  return listNames(projects)
    .map(name => path.join(projects, name, `${claudeSession}.jsonl`))
    .find(file => fs.existsSync(file))
}

const Entry = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('user'),
    isMeta: z.boolean().optional(),
    message: z.looseObject({ content: z.string() }),
  }),
  z.looseObject({ type: z.literal('queue-operation'), operation: z.string(), content: z.string().optional() }),
])

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined // Half written, or empty.
  }
}

function isRule(line: string): boolean {
  return /^─{20,}$/.test(line.trim())
}

/** What lies over the input line, in words for a person. */
function describeCover(lines: string[]): string {
  const low = lines.filter(line => line.trim() !== '').slice(-24)
  const asked = low.find(line => /^\s*do you want to /i.test(line))
  if (low.some(line => /use this api key/i.test(line))) return 'claude asks whether to use the API key'
  if (asked !== undefined) return `claude asks for a permission: "${asked.trim().slice(0, 120)}"`
  const sign = diagnoseScreen(low.join('\n'))
  if (sign?.needsPerson) return sign.reason
  if (low.some(line => /showing detailed transcript/i.test(line))) return 'the detailed transcript is open'
  if (low.some(line => /for shell mode/.test(line))) return 'the input line is in shell mode, or shows its shortcuts'
  const foot = low.findLast(line => /\besc to\b|enter to\b/i.test(line))
  return foot === undefined ? "claude's input line is not to be seen" : `a menu is open: "${foot.trim().slice(0, 80)}"`
}

/** A line without its styles, and with plain blanks. */
function stripStyles(line: string): string {
  return line.replace(style, '').replaceAll('\u00a0', ' ').trimEnd()
}

/** What somebody typed in a line: neither dim nor under the cursor (which is drawn in reverse). */
function extractTyped(line: string): string {
  let dim = false
  let reverse = false
  let typed = ''
  for (const part of line.split(style)) {
    if (!part.startsWith('\u001b[')) {
      if (!dim && !reverse) typed += part
      continue
    }
    const codes = part.slice(2, -1).split(';').map(Number)
    if (codes[0] === 38 || codes[0] === 48) continue // A colour: its numbers mean no styles.
    for (const code of codes) {
      if (code === 0) dim = reverse = false
      if (code === 2) dim = true
      if (code === 22) dim = false
      if (code === 7) reverse = true
      if (code === 27) reverse = false
    }
  }
  return typed.replaceAll('\u00a0', ' ').trimEnd()
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a style
const style = /(\u001b\[[0-9;]*m)/gu
