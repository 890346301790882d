import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { withQueue } from './open.ts'

/**
 * Have what is just starting wait again. The process that starts it has lost its claim then: it starts nothing, or ends what it has
 * started, with exit 5. Call this when no daemon runs that would claim it again.
 */
export async function releaseStarts(config: Config): Promise<void> {
  if (!fs.existsSync(path.join(config.home, 'queue.db'))) return
  await withQueue(config, async queue => {
    for (const { id: item, attempt } of await queue.list(['starting']))
      await queue.release({ item, attempt }, 'it was starting when everything was stopped')
  })
}
