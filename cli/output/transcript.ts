import { z } from 'zod'
import { findTranscript as findClaudeTranscript, parseStreamLine } from '#host/claude'
import { parseJson } from '#host/json.ts'
import { sanitize, toOneLine } from '#host/text.ts'
import { findClaudeFolder, type Session } from '#session'

/** The file in which claude records the orchestrator's conversation; undefined when it does not exist. */
export function findTranscript(session: Session): string | undefined {
  return findClaudeTranscript(findClaudeFolder(session), session.manifest.claude.sessionId)
}

/** One line of the transcript as lines for a person: messages, tool calls, and the beginning of each tool's output. */
export function formatTranscriptLine(line: string): string[] {
  const lines = parseStreamLine(line).flatMap(part => {
    if (part.kind === 'text') return ['', ...part.text.split('\n').map(truncateLine)]
    return part.kind === 'tool' ? [`  > ${part.tool} ${toOneLine(part.target, MAX_TARGET_CHARS)}`] : []
  })
  return lines.length > 0 ? lines : formatUserLine(line)
}

// --- internal ---

const MAX_TARGET_CHARS = 170
const MAX_LINE_CHARS = 190
const MAX_MESSAGE_LINES = 20
/** A longer output is cut to its first lines. */
const MAX_OUTPUT_LINES = 8
const CUT_OUTPUT_LINES = 6

const Text = z.looseObject({ type: z.literal('text'), text: z.string() })
const ToolResult = z.looseObject({
  type: z.literal('tool_result'),
  content: z.union([z.string(), z.array(z.unknown())]),
  is_error: z.boolean().optional(),
})
const UserLine = z.looseObject({
  type: z.literal('user'),
  isMeta: z.boolean().optional(),
  message: z.looseObject({ content: z.union([z.string(), z.array(z.unknown())]) }),
})

/** What the user or claude itself (`isMeta`) sent to the model, and what tools returned. */
function formatUserLine(line: string): string[] {
  const parsed = UserLine.safeParse(parseJson(line)).data
  if (!parsed) return []
  const { content } = parsed.message
  const sender = parsed.isMeta ? 'claude' : 'you'
  if (typeof content === 'string') return formatMessage(sender, content)
  return content.flatMap(part => {
    const text = Text.safeParse(part).data
    if (text) return formatMessage(sender, text.text)
    const result = ToolResult.safeParse(part).data
    return result ? formatToolOutput(extractText(result.content), result.is_error === true) : []
  })
}

function formatMessage(sender: string, text: string): string[] {
  const [first = '', ...more] = text.trim().split('\n')
  const lines = more.slice(0, MAX_MESSAGE_LINES).map(line => `     ${truncateLine(line)}`)
  return ['', `${sender}: ${truncateLine(first)}`, ...lines]
}

function formatToolOutput(text: string, isError: boolean): string[] {
  const mark = isError ? '  ! ' : '  < '
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line, index) => `${index === 0 ? mark : '    '}${truncateLine(line)}`.trimEnd())
  if (lines.length <= MAX_OUTPUT_LINES) return lines
  return [...lines.slice(0, CUT_OUTPUT_LINES), `    (${lines.length - CUT_OUTPUT_LINES} more lines)`]
}

function extractText(content: string | unknown[]): string {
  if (typeof content === 'string') return content
  return content.flatMap(part => Text.safeParse(part).data?.text ?? []).join('\n')
}

function truncateLine(line: string): string {
  return line.length <= MAX_LINE_CHARS ? sanitize(line) : `${sanitize(line.slice(0, MAX_LINE_CHARS - 1))}…`
}
