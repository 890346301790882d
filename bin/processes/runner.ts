import { main } from '#cli/main.ts'
import { readConfig } from '#host/config'
import { useExecutableTempFolder } from '#host/temp-folder.ts'
import { runSession } from '#runner'
import { findSession } from '#session'

/** The runner of a session, in window 0 of its terminal. The argument is the session's id. */
await main(async () => {
  const config = readConfig()
  const notice = await useExecutableTempFolder()
  if (notice !== undefined) process.stdout.write(`${notice}\n`)
  await runSession(findSession(config.workspace, process.argv[2] ?? ''), config)
})
