import type { Config } from '#host/config'
import { SECOND_MS } from '#host/time.ts'
import { type StartResult, waitForStart } from '#runner'
import type { Session } from '#session'

/** A model usually answers before this. */
const QUIET_MS = 5 * SECOND_MS

/** Wait until the model has answered once. `say` tells a person what takes so long. Ctrl-C leaves the session running. */
export async function waitForFirstAnswer(
  session: Session,
  config: Config,
  say: (text: string) => void,
): Promise<StartResult> {
  const letters = session.id.slice(-4)
  const interrupt = new AbortController()
  const leave = () => {
    // Also with --json, which else would name the session nowhere.
    process.stderr.write(`the session goes on without you: dispatch watch ${letters}, or dispatch stop ${letters}\n`)
    interrupt.abort()
  }
  const timer = setTimeout(
    () => say("waiting for the model's first answer; Ctrl-c leaves the session running"),
    QUIET_MS,
  )
  process.once('SIGINT', leave)
  try {
    const start = await waitForStart(session, config, interrupt.signal)
    if (!start.isParked && start.isCopying)
      say('your repository is still being copied; checks and workers begin when it is there')
    return start
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', leave)
  }
}
