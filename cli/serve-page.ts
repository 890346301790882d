import { createConfigReader, readConfig } from '#host/config'
import { DispatchError, exitCodes, signalExitCodes } from '#host/error.ts'
import { appendLog } from '#host/log-file.ts'
import { startServer } from '#webui'
import { waitForEndSignal } from './end-signal.ts'
import { getChannelWarning } from './notify/overview.ts'
import { print } from './output/terminal.ts'

/** Serve the web page until a signal arrives. Exit 5 with its URL when a page is already running. Returns the exit code. */
export async function servePage(): Promise<number> {
  const config = readConfig()
  if (config.WEBUI_PORT === 0) {
    print('the page is off (WEBUI_PORT=0)')
    return exitCodes.ok
  }
  const say = (text: string) => {
    print(text)
    appendLog(config.logsFolder, 'web', text)
  }
  const readCurrentConfig = createConfigReader(config, say)
  const server = await startServer(config, {
    getChannelWarning: () => getChannelWarning(readCurrentConfig()),
    report: error => say(error instanceof Error ? (error.stack ?? error.message) : `${error}`),
  })
  if (server.kind === 'running')
    throw new DispatchError(`the page is already at ${server.url}, served by process ${server.pid}`, {
      exitCode: exitCodes.conflict,
    })
  if (server.port !== config.WEBUI_PORT) say(`port ${config.WEBUI_PORT} is in use by another program`)
  say(`the page is at ${server.url}`)
  const signal = await waitForEndSignal()
  await server.close()
  return signalExitCodes[signal]
}
