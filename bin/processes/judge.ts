import { text } from 'node:stream/consumers'
import { readEnvironmentConfig } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { type JudgeResult, judgePacket, Packet } from '#validator'

/**
 * The judge as a process of its own: a packet as JSON on standard input, one line of JSON on standard output. It is told
 * nothing else, so it cannot see the source. Exit 0 whenever it could answer, also when there is no judgement.
 */
process.stdout.write(`${JSON.stringify(await judgeInput())}\n`)

async function judgeInput(): Promise<JudgeResult> {
  try {
    const packet = Packet.safeParse(parseJson(await text(process.stdin)))
    return packet.success
      ? await judgePacket(packet.data, readEnvironmentConfig())
      : { ok: false, reason: 'the packet does not read' }
  } catch (error) {
    if (error instanceof DispatchError) return { ok: false, reason: error.message, exit: error.exitCode }
    throw error
  }
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
