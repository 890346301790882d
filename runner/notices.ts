import path from 'node:path'
import { z } from 'zod'
import { type Config, readJson } from '../host/index.ts'
import { noticeOf } from '../notify/index.ts'
import type { Event, Happening } from '../session/index.ts'
import { sendNotice } from './push.ts'

/** Push what a person should know of this event; what became of it is an event too. */
export async function pushNotice(
  event: Event,
  { id, config, record }: { id: string; config: Config; record: (happening: Happening) => void },
): Promise<void> {
  const page = z.object({ url: z.string() }).safeParse(readJson(path.join(config.home, 'web.json'))).data?.url
  const notice = noticeOf(event, { id }, config.WEBUI_PORT === 0 ? undefined : page)
  if (!notice) return
  for (const { channel, ok, why } of await sendNotice(notice, config)) {
    record(
      ok
        ? { is: 'notice.sent', channel, about: event.is }
        : { is: 'notice.failed', channel, about: event.is, why: (why ?? '').slice(0, 200) },
    )
  }
}
