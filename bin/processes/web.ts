/** Serve the observatory until a signal ends it. A second one exits 5 and says where the first is. */
import { getChannelWarning } from '#cli/notify/health.ts'
import { createConfigReader, readConfig } from '#host/config'
import { DispatchError, exitCodes, signalExitCodes } from '#host/error.ts'
import { startServer } from '#webui'

try {
  const config = readConfig()
  if (config.WEBUI_PORT === 0) exitWith('the page is off (WEBUI_PORT=0)')
  const fresh = createConfigReader(config, problem => console.log(problem))
  const served = await startServer(config, () => getChannelWarning(fresh()))
  if (served.kind === 'running')
    throw new DispatchError(`the page is at ${served.url} already, served by process ${served.pid}`, {
      exitCode: exitCodes.conflict,
    })
  if (served.port !== config.WEBUI_PORT) console.log(`port ${config.WEBUI_PORT} is in use by another program`)
  console.log(`the page is at ${served.url}`)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.once(signal, () => served.close().then(() => process.exit(signalExitCodes[signal])))
} catch (error) {
  if (!(error instanceof DispatchError)) throw error
  console.error([`web: ${error.message}`, error.remedy].filter(Boolean).join('\n'))
  process.exit(error.exitCode)
}

function exitWith(words: string): never {
  if (words !== '') console.log(words)
  process.exit(exitCodes.ok)
}
