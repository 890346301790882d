/** Door: open the observatory and stay until it is asked to end; a second one ends with 5 and says where the first is. */
import { DispatchError, exits, freshConfig, readConfig, signalExits } from '../host/index.ts'
import { serve } from '../webui/index.ts'
import { silenceOf } from './notify/health.ts'

try {
  const config = readConfig()
  if (config.WEBUI_PORT === 0) end('the page is off (WEBUI_PORT=0)')
  const fresh = freshConfig(config, problem => console.log(problem))
  const served = await serve(config, () => silenceOf(fresh()))
  if (served.is === 'running')
    throw new DispatchError(`the page is at ${served.url} already, served by process ${served.pid}`, {
      exit: exits.conflict,
    })
  if (served.port !== config.WEBUI_PORT) console.log(`port ${config.WEBUI_PORT} is in use by another program`)
  console.log(`the page is at ${served.url}`)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.once(signal, () => served.close().then(() => process.exit(signalExits[signal])))
} catch (error) {
  if (!(error instanceof DispatchError)) throw error
  console.error([`web: ${error.message}`, error.remedy].filter(Boolean).join('\n'))
  process.exit(error.exit)
}

function end(words: string): never {
  if (words !== '') console.log(words)
  process.exit(exits.ok)
}
