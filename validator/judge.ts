import path from 'node:path'
import { installFolder } from '#host/config'
import type { ExitCode } from '#host/error.ts'
import { readIfPresent } from '#host/fs'
import { askGemini, type JudgeConfig } from './gemini.ts'
import type { Packet } from './packet/packet.ts'
import { buildResponseSchema, type JudgeReply, parseJudgeReply } from './reply.ts'

const MAX_KEPT_REPLY_CHARS = 64 * 1024

/** The judge's reply and the model that gave it, or why there is no reply. `rawReply` is a reply that cannot be used. */
export type JudgeResult =
  | { ok: true; reply: JudgeReply; model: string; milliseconds: number; usage?: { sent: number; received: number } }
  | { ok: false; reason: string; exit?: ExitCode; rawReply?: string }

/** Ask the judge about one packet. A failure is a value with its reason, never an exception. */
export async function judgePacket(packet: Packet, config: JudgeConfig, retryDelayMs?: number): Promise<JudgeResult> {
  const system = readIfPresent(path.join(installFolder, 'validator/prompt.md'))
  if (system === undefined) return { ok: false, reason: 'validator/prompt.md is missing from the install' }
  const answer = await askGemini({ packet: packet.packet, system, schema: buildResponseSchema(), config, retryDelayMs })
  if (!answer.ok) return answer
  const { text, ...metadata } = answer
  const parsed = parseJudgeReply(text, packet)
  return parsed.ok ? { ...parsed, ...metadata } : { ...parsed, rawReply: text.slice(0, MAX_KEPT_REPLY_CHARS) }
}
