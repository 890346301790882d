import { main } from '#cli/main.ts'
import { createConfigReader, readConfig } from '#host/config'
import { defaultTiming, runDeliverer } from '#notify'

/** Delivers the notifications in the outbox until none is waiting. Started by whatever queues one. */
await main(async () => {
  const config = readConfig(undefined, { forNotifications: true })
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
  const readCurrentConfig = createConfigReader(config, problem => process.stdout.write(`${problem}\n`))
  await runDeliverer(config.home, readCurrentConfig, defaultTiming, stop.signal)
})
process.exit() // A connection without an answer must not keep this process alive.
