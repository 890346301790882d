import { z } from 'zod'
import { parseJson } from '../json.ts'

/** No run costs more. Far larger figures would not stay numbers when they are added up. */
const MAX_COST_USD = 1e6

const StreamResult = z.looseObject({
  type: z.literal('result'),
  is_error: z.boolean(),
  subtype: z.string().optional(),
  result: z.string().optional(),
  total_cost_usd: z.number().nonnegative().max(MAX_COST_USD).optional().catch(undefined),
  num_turns: z.number().optional(),
  api_error_status: z.number().nullish(),
})

/** The last line of a stream: how the run of a headless claude ended, and what it cost. */
export type StreamResult = z.infer<typeof StreamResult>

/** One thing that a line of stream-json reports. `target` is the command, file or pattern of the tool, or empty. */
export type StreamEvent =
  | { kind: 'text'; text: string }
  | { kind: 'tool'; tool: string; target: string }
  | { kind: 'result'; result: StreamResult }

/** The events in one line of stream-json; empty for a line of an unknown kind, or one that was cut off. Pure. */
export function parseStreamLine(line: string): StreamEvent[] {
  const value = parseJson(line)
  const result = StreamResult.safeParse(value)
  if (result.success) return [{ kind: 'result', result: result.data }]
  const message = AssistantMessage.safeParse(value)
  if (!message.success) return []
  return message.data.message.content.flatMap((candidate): StreamEvent[] => {
    const block = ContentBlock.safeParse(candidate)
    if (!block.success) return []
    if (block.data.type === 'text') return [{ kind: 'text', text: block.data.text }]
    const { name, input } = block.data
    const target = String(input['command'] ?? input['file_path'] ?? input['pattern'] ?? '')
    return [{ kind: 'tool', tool: name, target }]
  })
}

// --- internal ---

const AssistantMessage = z.looseObject({
  type: z.literal('assistant'),
  message: z.looseObject({ content: z.array(z.unknown()) }),
})

const ContentBlock = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text'), text: z.string() }),
  z.looseObject({ type: z.literal('tool_use'), name: z.string(), input: z.record(z.string(), z.unknown()) }),
])
