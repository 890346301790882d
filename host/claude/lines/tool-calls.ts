import { z } from 'zod'
import { parseJson } from '../../json.ts'

/** A call of a tool, or what the tool returned. Both have the id of the call. */
export type ToolTraffic =
  | { kind: 'call'; id: string; tool: string; input: Record<string, unknown> }
  | { kind: 'result'; id: string; content: unknown }

/** The calls and results in one line of a stream or a transcript; empty for any other line. Pure. */
export function parseToolTraffic(line: string): ToolTraffic[] {
  const { content } = Message.safeParse(parseJson(line)).data?.message ?? { content: [] }
  return content.flatMap((candidate): ToolTraffic[] => {
    const block = Block.safeParse(candidate).data
    if (block === undefined) return []
    return block.type === 'tool_use'
      ? [{ kind: 'call', id: block.id, tool: block.name, input: block.input }]
      : [{ kind: 'result', id: block.tool_use_id, content: block.content }]
  })
}

// --- internal ---

const Message = z.looseObject({
  type: z.enum(['assistant', 'user']),
  message: z.looseObject({ content: z.array(z.unknown()) }),
})

const Block = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('tool_use'),
    id: z.string(),
    name: z.string(),
    input: z.record(z.string(), z.unknown()),
  }),
  z.looseObject({ type: z.literal('tool_result'), tool_use_id: z.string(), content: z.unknown() }),
])
