import type { Answer, JudgeConfig } from './gemini.ts'
import type { Judgement } from './judge.ts'
import type { Packet } from './packet.ts'

export * from './decide.ts'
export type { Judgement } from './judge.ts'
export * from './packet.ts'
export { type Judged, type Reply, readReply, responseSchema } from './reply.ts'

/** Ask the judge's model for one word, to see that key, model and address are right. */
export async function askOneWord(config: JudgeConfig): Promise<Answer> {
  return (await import('./gemini.ts')).askOneWord(config)
}

/** Let the judge judge one packet. The SDK is loaded only here: the runner imports this room too, and stays small. */
export async function judge(packet: Packet, config: JudgeConfig, pause?: number): Promise<Judgement> {
  return (await import('./judge.ts')).judge(packet, config, pause)
}
