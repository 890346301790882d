/** Door: open the observatory and stay until SIGTERM or SIGINT; or say where it is already. */
import { DispatchError, exits, readConfig } from '../host/index.ts'
import { serve } from '../webui/index.ts'

try {
  const config = readConfig()
  if (config.WEBUI_PORT === 0) end('the page is off (WEBUI_PORT=0)')
  const served = await serve(config)
  if (served.is === 'running') end(`the page is at ${served.url} already`)
  console.log(`the page is at ${served.url}`)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => served.close().then(() => end('')))
} catch (error) {
  if (!(error instanceof DispatchError)) throw error
  console.error([`web: ${error.message}`, error.remedy].filter(Boolean).join('\n'))
  process.exit(error.exit)
}

function end(words: string): never {
  if (words !== '') console.log(words)
  process.exit(exits.ok)
}
