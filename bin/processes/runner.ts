import { main } from '#cli/main.ts'
import { readConfig } from '#host/config'
import { runSession } from '#runner'
import { findSession } from '#session'

/** Window 0 of a session's terminal: its runner. Started by dispatch, never by hand. */
await main(async () => {
  const config = readConfig()
  await runSession(findSession(config.workspace, process.argv[2] ?? ''), config)
  return 0
})
