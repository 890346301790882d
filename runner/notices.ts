import path from 'node:path'
import { z } from 'zod'
import { type Config, ownEnvironment, readJson, run } from '../host/index.ts'
import { noticeOf } from '../notify/index.ts'
import type { Event, Happening } from '../session/index.ts'

const Deliveries = z.array(z.object({ channel: z.string(), ok: z.boolean(), why: z.string().optional() }))

/**
 * Push what a person should know, in a process of its own: a channel that hangs or fails delays nothing and breaks
 * nothing; it only becomes an event.
 */
export async function pushNotice(
  event: Event,
  { id, config, record }: { id: string; config: Config; record: (happening: Happening) => void },
): Promise<void> {
  const page = z.object({ url: z.string() }).safeParse(readJson(path.join(config.home, 'web.json'))).data?.url
  const notice = noticeOf(event, { id }, config.WEBUI_PORT === 0 ? undefined : page)
  if (!notice) return
  const ran = await run(process.execPath, [path.join(config.install, 'bin/push.ts')], {
    env: ownEnvironment(config),
    input: JSON.stringify(notice),
    deadline: 30_000,
  })
  for (const { channel, ok, why } of deliveriesIn(ran.stdout)) {
    record(
      ok
        ? { is: 'notice.sent', channel, about: event.is }
        : { is: 'notice.failed', channel, about: event.is, why: (why ?? '').slice(0, 200) },
    )
  }
}

function deliveriesIn(text: string): z.infer<typeof Deliveries> {
  try {
    return Deliveries.parse(JSON.parse(text))
  } catch {
    return [{ channel: 'push', ok: false, why: 'the push process gave no answer' }]
  }
}
