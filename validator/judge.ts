import path from 'node:path'
import { type Exit, install, readIfPresent } from '../host/index.ts'
import { askGemini, type JudgeConfig } from './gemini.ts'
import type { Packet } from './packet.ts'
import { type Reply, readReply, responseSchema } from './reply.ts'

/** The judge's reply and who gave it, or why there is none. `said` is the text of a reply that cannot be used. */
export type Judgement =
  | { ok: true; reply: Reply; model: string; milliseconds: number; usage?: { sent: number; received: number } }
  | { ok: false; why: string; exit?: Exit; said?: string }

/** Let the judge judge one packet. Whatever goes wrong is a value with its reason. */
export async function judge(packet: Packet, config: JudgeConfig, pause?: number): Promise<Judgement> {
  const system = readIfPresent(path.join(install, 'validator/prompt.md'))
  if (system === undefined) return { ok: false, why: 'validator/prompt.md is missing from the install' }
  const answer = await askGemini({
    packet: packet.packet,
    system,
    schema: responseSchema(),
    config,
    ...(pause === undefined ? {} : { pause }),
  })
  if (!answer.ok) {
    const { retryable: _, ...refused } = answer
    return refused
  }
  const { text, ok: _, ...about } = answer
  const read = readReply(text, packet)
  if (read.ok) return { ...read, ...about }
  return { ...read, said: text.slice(0, kept) }
}

const kept = 64 * 1024
