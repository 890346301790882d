import { text } from 'node:stream/consumers'
import { readEnvironmentConfig } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { parseJson } from '#host/json.ts'
import { type JudgeResult, judgePacket, Packet } from '#validator'

/**
 * The judge in its own process: a packet as JSON on standard input, a result as one line of JSON on standard output. It gets
 * nothing else, so it cannot see the source. Exit 0 whenever it has a result, also one without a judgement.
 */
process.stdout.write(`${JSON.stringify(await judgeInput())}\n`)

async function judgeInput(): Promise<JudgeResult> {
  try {
    const packet = Packet.safeParse(parseJson(await text(process.stdin)))
    if (!packet.success) return { ok: false, reason: 'the packet is invalid' }
    return await judgePacket(packet.data, readEnvironmentConfig())
  } catch (error) {
    if (error instanceof DispatchError) return { ok: false, reason: error.message, exit: error.exitCode }
    throw error
  }
}
