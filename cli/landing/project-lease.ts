import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { git } from '#host/git'
import { sha256 } from '#host/hash.ts'
import { acquireLease, readLeaseHolder, releaseLease } from '#host/lease'
import { identify } from '#host/process'

const POLL_MS = 250

/**
 * Land as the only one of a repository, whichever branch or checkout it is: each landing changes what the next one lands on. Waits
 * while another process lands there, and calls `say` once. A process that was killed is not waited for.
 */
export async function landAlone<Result>(
  config: Config,
  checkout: string,
  say: (text: string) => void,
  land: () => Promise<Result>,
): Promise<Result> {
  const common = await git(['rev-parse', '--path-format=absolute', '--git-common-dir'], { cwd: checkout })
  const folder = path.join(config.home, 'landing', sha256(common).slice(0, 32))
  const self = await identify(process.pid)
  if (self === undefined) throw new Error('the system does not list this process')
  for (let isTold = false; ; isTold = true) {
    const lease = await acquireLease(folder, self)
    if (lease === undefined) {
      if (!isTold)
        say(`Waiting for process ${readLeaseHolder(folder)?.pid ?? 'unknown'}, which lands on this repository …`)
      await sleep(POLL_MS)
      continue
    }
    try {
      return await land()
    } finally {
      releaseLease(folder, lease)
    }
  }
}
