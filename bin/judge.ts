import { text } from 'node:stream/consumers'
import { DispatchError, readEnvironment } from '../host/index.ts'
import { type Judgement, judge, Packet } from '../validator/index.ts'

/**
 * The judge as a process of its own: a packet as JSON on standard input, one line of JSON on standard output. It is told
 * nothing else, so it cannot see the source. Exit 0 whenever it could answer, also when there is no judgement.
 */
process.stdout.write(`${JSON.stringify(await answer())}\n`)

async function answer(): Promise<Judgement> {
  try {
    const packet = Packet.safeParse(parsed(await text(process.stdin)))
    return packet.success ? await judge(packet.data, readEnvironment()) : { ok: false, why: 'the packet does not read' }
  } catch (error) {
    if (error instanceof DispatchError) return { ok: false, why: error.message, exit: error.exit }
    throw error
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
