/** Deliver what waits in the outbox, until nothing waits there any more. Started by whatever queues a notification. */
import { main } from '#cli/main.ts'
import { createConfigReader, readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { defaultTiming, runDeliverer } from '#notify'

await main(async () => {
  const config = readConfig()
  const asked = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => asked.abort())
  const fresh = createConfigReader(config, problem => process.stdout.write(`${problem}\n`))
  await runDeliverer(config.home, fresh, defaultTiming, asked.signal)
  return exitCodes.ok
})
process.exit() // Now: a connection that nobody answers must not keep a process that delivers nothing.
