import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readLogTail } from '#host/log-file.ts'
import { sanitize } from '#host/text.ts'
import { print } from './terminal.ts'

/** Print the end of the log of the daemon or the page. Exit 4 if it has never run here. */
export function printProcessLog({ logsFolder }: Config, name: string): undefined {
  const lines = readLogTail(logsFolder, name, LAST_LINES)
  if (lines === undefined)
    throw new DispatchError(`there is no log of ${name} in ${logsFolder}`, {
      exitCode: exitCodes.notFound,
      remedy: `It begins with the first start: dispatch ${name}, or any \`dispatch "task"\``,
    })
  for (const line of lines) print(sanitize(line))
}

// --- internal ---

const LAST_LINES = 500
