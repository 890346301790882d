import { text } from 'node:stream/consumers'
import { readEnvironmentConfig } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { parseJson } from '#host/json.ts'
import { type GeminiAnswer, type JudgeResult, judgePacket, Packet, pingJudge } from '#validator'

/** How often the process looks whether the runner that started it is still there. */
const PARENT_POLL_MS = 500

/**
 * The judge in its own process: a packet as JSON on standard input, a result as one line of JSON on standard output. It gets
 * nothing else, so it cannot see the source. With the argument `greet` it reads no input and asks for one word. Exit 0 whenever
 * it has a result, also one without a judgement.
 */
const parentPid = process.ppid
const exitIfOrphaned = () => {
  if (process.ppid !== parentPid) process.exit() // Nothing would read the answer.
}
setInterval(exitIfOrphaned, PARENT_POLL_MS).unref()
process.stdout.write(`${JSON.stringify(await askJudge())}\n`)

async function askJudge(): Promise<JudgeResult | GeminiAnswer<string>> {
  try {
    if (process.argv[2] === 'greet') return await pingJudge(readEnvironmentConfig())
    const packet = Packet.safeParse(parseJson(await text(process.stdin)))
    if (!packet.success) return { ok: false, reason: 'the packet is invalid', kind: 'rejected' }
    return await judgePacket(packet.data, readEnvironmentConfig())
  } catch (error) {
    if (error instanceof DispatchError)
      return { ok: false, reason: error.message, kind: 'rejected', exitCode: error.exitCode }
    throw error
  }
}
