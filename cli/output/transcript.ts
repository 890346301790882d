import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { parseStreamLine } from '#host/claude'
import { listNames } from '#host/fs'
import { sanitize, toOneLine } from '#host/text.ts'
import { findClaudeFolder, type Session } from '#session'

/** Tokens as claude was billed for them, of one model. */
export interface TokenUsage {
  model: string
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
}

/**
 * Where claude writes down the orchestrator's talk: under its configuration, in a folder named after the desk. Looked for by
 * the name of the file, which is ours, because the folder's spelling is claude's own. Undefined when it is not there.
 */
export function findTranscript(session: Session): string | undefined {
  const { manifest, paths } = session
  const configuration = findClaudeFolder(session) ?? path.join(os.homedir(), '.claude')
  const projects = path.join(configuration, 'projects')
  const usual = paths.orchestratorFolder.replace(/[^A-Za-z0-9]/g, '-')
  const file = `${manifest.claude.sessionId}.jsonl`
  const folder = [usual, ...listNames(projects)].find(name => listNames(path.join(projects, name)).includes(file))
  return folder === undefined ? undefined : path.join(projects, folder, file)
}

/** One line of the transcript in words: what was said to it, what it said and did, and the beginning of what came back. */
export function formatTranscriptLine(line: string): string[] {
  const said = parseStreamLine(line).flatMap(part => {
    if (part.kind === 'text') return ['', ...part.text.split('\n').map(each => truncateLine(each))]
    return part.kind === 'tool' ? [`  > ${part.tool} ${toOneLine(part.target, 170)}`] : []
  })
  return said.length > 0 ? said : formatHeard(line)
}

/** What claude was billed for in these lines, by model. One answer stands in several lines and counts once. */
export function countTokens(lines: Iterable<string>): TokenUsage[] {
  const answers = new Map<string, TokenUsage>()
  for (const line of lines) {
    const parsed = line.includes('"usage"') ? Answer.safeParse(parseJson(line)) : undefined
    if (!parsed?.success) continue
    const { id, model, usage } = parsed.data.message
    answers.set(id, {
      model,
      input: usage.input_tokens,
      output: usage.output_tokens,
      cacheRead: usage.cache_read_input_tokens,
      cacheWrite: usage.cache_creation_input_tokens,
    })
  }
  return sumTokens([...answers.values()])
}

/** Tokens added up, one entry a model. */
export function sumTokens(all: TokenUsage[]): TokenUsage[] {
  const sums = new Map<string, TokenUsage>()
  for (const { model, ...one } of all) {
    const sum = sums.get(model) ?? { model, input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }
    sums.set(model, {
      model,
      input: sum.input + one.input,
      output: sum.output + one.output,
      cacheRead: sum.cacheRead + one.cacheRead,
      cacheWrite: sum.cacheWrite + one.cacheWrite,
    })
  }
  return [...sums.values()].filter(
    ({ input, output, cacheRead, cacheWrite }) => input + output + cacheRead + cacheWrite,
  )
}

// --- internal ---

const tokenCount = z.number().int().nonnegative().catch(0)

const Answer = z.looseObject({
  type: z.literal('assistant'),
  message: z.looseObject({
    id: z.string(),
    model: z.string(),
    usage: z.looseObject({
      input_tokens: tokenCount,
      output_tokens: tokenCount,
      cache_read_input_tokens: tokenCount,
      cache_creation_input_tokens: tokenCount,
    }),
  }),
})

const Text = z.looseObject({ type: z.literal('text'), text: z.string() })
const Result = z.looseObject({
  type: z.literal('tool_result'),
  content: z.union([z.string(), z.array(z.unknown())]),
  is_error: z.boolean().optional(),
})
const UserLine = z.looseObject({
  type: z.literal('user'),
  isMeta: z.boolean().optional(),
  message: z.looseObject({ content: z.union([z.string(), z.array(z.unknown())]) }),
})

function formatHeard(line: string): string[] {
  const parsed = UserLine.safeParse(parseJson(line))
  if (!parsed.success) return []
  const { content } = parsed.data.message
  const who = parsed.data.isMeta ? 'told' : 'you'
  if (typeof content === 'string') return formatSpoken(who, content)
  return content.flatMap(part => {
    const text = Text.safeParse(part)
    if (text.success) return formatSpoken(who, text.data.text)
    const result = Result.safeParse(part)
    return result.success ? formatToolResult(extractText(result.data.content), result.data.is_error === true) : []
  })
}

function formatSpoken(who: string, text: string): string[] {
  const [first = '', ...more] = text.trim().split('\n')
  return ['', `${who}: ${truncateLine(first)}`, ...more.slice(0, 20).map(line => `     ${truncateLine(line)}`)]
}

/** The first lines of what a tool gave back. */
function formatToolResult(text: string, isError: boolean): string[] {
  const lines = text.trimEnd().split('\n')
  const mark = isError ? '  ! ' : '  < '
  const shown = lines.map((line, at) => `${at === 0 ? mark : '    '}${truncateLine(line)}`.trimEnd())
  return lines.length > 8 ? [...shown.slice(0, 6), `    (${lines.length - 6} more lines)`] : shown
}

function extractText(content: string | unknown[]): string {
  if (typeof content === 'string') return content
  return content.flatMap(part => Text.safeParse(part).data?.text ?? []).join('\n')
}

function truncateLine(line: string): string {
  return line.length <= 190 ? sanitize(line) : `${sanitize(line.slice(0, 189))}…`
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined // Torn, or still being written.
  }
}
