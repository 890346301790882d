import { readConfig } from '../host/index.ts'
import { runSession } from '../runner/index.ts'
import { findSession } from '../session/index.ts'
import { main } from './main.ts'

/** Window 0 of a session's terminal: its runner. Started by dispatch, never by hand. */
await main(async () => {
  const config = readConfig()
  await runSession(findSession(config.workspace, process.argv[2] ?? ''), config)
  return 0
})
