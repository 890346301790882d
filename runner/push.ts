import path from 'node:path'
import { z } from 'zod'
import { type Config, ownEnvironment, run } from '../host/index.ts'
import type { Notice } from '../notify/index.ts'

const Deliveries = z.array(z.object({ channel: z.string(), ok: z.boolean(), why: z.string().optional() }))

/** What became of a notice, on each channel that is set. */
export type Deliveries = z.infer<typeof Deliveries>

/** Push one notice in a process of its own: a channel that hangs or fails delays nothing and breaks nothing. */
export async function sendNotice(notice: Notice, config: Config): Promise<Deliveries> {
  const ran = await run(process.execPath, [path.join(config.install, 'bin/push.ts')], {
    env: ownEnvironment(config),
    input: JSON.stringify(notice),
    deadline: 30_000,
  })
  return deliveriesIn(ran.stdout)
}

function deliveriesIn(text: string): Deliveries {
  try {
    return Deliveries.parse(JSON.parse(text))
  } catch {
    return [{ channel: 'push', ok: false, why: 'the push process gave no answer' }]
  }
}
