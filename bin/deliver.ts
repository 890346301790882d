/** Door: deliver what lies in the outbox, until nothing waits there any more. Started by whoever lays a notice out. */
import { createConfigReader, exitCodes, readConfig } from '../host/index.ts'
import { defaultTiming, runDeliverer } from '../notify/index.ts'
import { main } from './main.ts'

await main(async () => {
  const config = readConfig()
  const asked = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => asked.abort())
  const fresh = createConfigReader(config, problem => process.stdout.write(`${problem}\n`))
  await runDeliverer(config.home, fresh, defaultTiming, asked.signal)
  return exitCodes.ok
})
process.exit() // Now: a connection that nobody answers must not keep a process that delivers nothing.
