import path from 'node:path'
import { installFolder } from '#host/config'
import { readIfPresent } from '#host/fs'
import { JudgeError, toJudgeFailure } from './failure.ts'
import { askGemini, type GeminiAnswer, type JudgeConfig } from './gemini.ts'
import type { Packet } from './packet/packet.ts'
import { buildResponseSchema, type JudgeReply, parseJudgeReply } from './parse-reply.ts'

const MAX_KEPT_REPLY_CHARS = 64 * 1024

/** The judge's reply and the model that gave it, or why there is no reply. */
export type JudgeResult = GeminiAnswer<JudgeReply>

/** Ask the judge about one packet. A failure is a value with its reason, never an exception. */
export async function judgePacket(packet: Packet, config: JudgeConfig, retryDelayMs?: number): Promise<JudgeResult> {
  const system = readIfPresent(path.join(installFolder, 'validator/prompt.md'))
  if (system === undefined)
    return toJudgeFailure(new JudgeError('validator/prompt.md is missing from the install', 'rejected'))
  const read = (text: string): JudgeReply => {
    const parsed = parseJudgeReply(text, packet)
    if (parsed.ok) return parsed.reply
    throw new JudgeError(parsed.reason, parsed.kind, { rawReply: text.slice(0, MAX_KEPT_REPLY_CHARS) })
  }
  const schema = buildResponseSchema()
  return askGemini({ packet: packet.packet, system, schema, effort: 'judgement', config, read, retryDelayMs })
}
