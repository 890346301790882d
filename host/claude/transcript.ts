import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { listNames } from '../fs/files.ts'
import { parseJson } from '../json.ts'
import { locateClaudeFiles } from './config.ts'

/** What a transcript records of a prompt: it began a turn, was queued behind the running one, or left the queue. */
type TranscriptPrompt = { kind: 'began' | 'queued'; text: string } | { kind: 'dequeued' }

/** The prompts in these lines of a transcript, in order. Tool results, hook output and torn lines are skipped. Pure. */
export function parseTranscriptPrompts(lines: string): TranscriptPrompt[] {
  return lines.split('\n').flatMap((line): TranscriptPrompt[] => {
    const entry = TranscriptEntry.safeParse(parseJson(line)).data
    if (entry?.type === 'user') return entry.isMeta ? [] : [{ kind: 'began', text: entry.message.content }]
    if (entry?.type === 'queue-operation')
      return entry.operation === 'enqueue' ? [{ kind: 'queued', text: entry.content ?? '' }] : [{ kind: 'dequeued' }]
    return []
  })
}

/** The transcript that claude keeps of this session; undefined while it does not exist. */
export function findTranscript(configDirectory: string | null, claudeSession: string): string | undefined {
  const { transcripts } = locateClaudeFiles(configDirectory)
  return listNames(transcripts)
    .map(name => path.join(transcripts, name, `${claudeSession}.jsonl`))
    .find(file => fs.existsSync(file))
}

/** Do these lines of a transcript have a message of the model? One that claude writes about an error does not count. Pure. */
export function hasModelAnswer(lines: string): boolean {
  return lines.split('\n').some(line => {
    const entry = AssistantEntry.safeParse(parseJson(line)).data
    return entry !== undefined && !entry.isApiErrorMessage && entry.message.model !== '<synthetic>'
  })
}

/**
 * Did the model end its turn in these lines of a transcript? Claude writes a line for each part of a message, and in each the
 * reason why the message stopped: after `tool_use` the turn goes on, whichever part comes last. A part that was written before
 * the message was complete has none: then thoughts are no end, and words are one only if they use no tool. Pure.
 */
export function hasEndedTurn(lines: string): boolean {
  const entries = lines.split('\n').flatMap(line => TalkEntry.safeParse(parseJson(line)).data ?? [])
  const last = entries.at(-1)
  if (last?.type !== 'assistant') return false
  const { stop_reason: reason, content } = last.message
  const kinds = content.map(block => block.type)
  if (reason != null) return reason !== 'tool_use' && reason !== 'pause_turn'
  return kinds.at(-1) === 'text' && !kinds.includes('tool_use')
}

// --- internal ---

const TalkEntry = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('user') }),
  z.looseObject({
    type: z.literal('assistant'),
    message: z.looseObject({
      content: z.array(z.looseObject({ type: z.string() })),
      stop_reason: z.string().nullish(),
    }),
  }),
])

const AssistantEntry = z.looseObject({
  type: z.literal('assistant'),
  isApiErrorMessage: z.boolean().optional(),
  message: z.looseObject({ model: z.string() }),
})

const TranscriptEntry = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('user'),
    isMeta: z.boolean().optional(),
    message: z.looseObject({ content: z.string() }),
  }),
  z.looseObject({ type: z.literal('queue-operation'), operation: z.string(), content: z.string().optional() }),
])
