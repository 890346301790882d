import path from 'node:path'
import { installFolder } from '#host/config'
import type { ExitCode } from '#host/error.ts'
import { readIfPresent } from '#host/fs'
import { askGemini, type JudgeConfig } from './gemini.ts'
import type { Packet } from './packet/packet.ts'
import { buildResponseSchema, type JudgeReply, parseJudgeReply } from './reply.ts'
/** The judge's reply and who gave it, or why there is none. `said` is the text of a reply that cannot be used. */
export type JudgeResult =
  | { ok: true; reply: JudgeReply; model: string; milliseconds: number; usage?: { sent: number; received: number } }
  | { ok: false; reason: string; exit?: ExitCode; rawReply?: string }

/** Let the judge judge one packet. Whatever goes wrong is a value with its reason. */
export async function judgePacket(packet: Packet, config: JudgeConfig, retryDelayMs?: number): Promise<JudgeResult> {
  const system = readIfPresent(path.join(installFolder, 'validator/prompt.md'))
  if (system === undefined) return { ok: false, reason: 'validator/prompt.md is missing from the install' }
  const answer = await askGemini({
    packet: packet.packet,
    system,
    schema: buildResponseSchema(),
    config,
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  })
  if (!answer.ok) {
    const { retryable: _, ...refused } = answer
    return refused
  }
  const { text, ok: _, ...about } = answer
  const read = parseJudgeReply(text, packet)
  if (read.ok) return { ...read, ...about }
  return { ...read, rawReply: text.slice(0, MAX_KEPT_REPLY_CHARS) }
}

const MAX_KEPT_REPLY_CHARS = 64 * 1024
