import type { GeminiAnswer, JudgeConfig } from './gemini.ts'
import type { JudgeResult } from './judge.ts'
import type { Packet as PacketType } from './packet/packet.ts'

export { decideVerdict } from './decide.ts'
export { type JudgeFailure, type JudgeFailureKind, mayPass } from './failure.ts'
export type { GeminiAnswer } from './gemini.ts'
export type { JudgeResult } from './judge.ts'
export type { Gate, PacketInput } from './packet/input.ts'
export { assertNoLeak, assertNoSecrets, buildPacket, Packet, PacketLeakError } from './packet/packet.ts'
export { buildResponseSchema, type JudgeReply, type JudgeReplyResult, parseJudgeReply } from './parse-reply.ts'

/** Ask the judge's model for one word, to test key, model and address. */
export async function pingJudge(config: JudgeConfig): Promise<GeminiAnswer<string>> {
  return (await import('./gemini.ts')).pingJudge(config)
}

/** Ask the judge about one packet. The SDK is loaded only here: the runner imports this room too, and must stay small. */
export async function judgePacket(
  packet: PacketType,
  config: JudgeConfig,
  retryDelayMs?: number,
): Promise<JudgeResult> {
  return (await import('./judge.ts')).judgePacket(packet, config, retryDelayMs)
}
