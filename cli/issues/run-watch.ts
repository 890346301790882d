import { type Config, createConfigReader } from '#host/config'
import { exitCodes, signalExitCodes } from '#host/error.ts'
import { startBackground } from '../background.ts'
import { waitForEndSignal } from '../end-signal.ts'
import { print } from '../output/terminal.ts'
import { reconcileIssues } from './reconcile.ts'
import { type IssueSource, IssueWatch, watchIssues } from './watch.ts'

/** Take issues once, or until a signal; the daemon starts their sessions. Returns the exit code. */
export async function runIssueWatch(
  config: Config,
  source: IssueSource,
  { once, json }: { once: boolean; json: boolean },
) {
  const say = (text: string) => print(json ? JSON.stringify({ at: new Date().toISOString(), text }) : text)
  await startBackground(config)
  if (once) {
    const looking = new IssueWatch()
    const taken = await looking.poll(config, source, say)
    await reconcileIssues(config, looking.memory, say)
    return taken.length > 0 || !looking.memory.rests(JSON.stringify(source)) ? exitCodes.ok : exitCodes.upstream
  }
  const end = new AbortController()
  const watching = watchIssues(end.signal, createConfigReader(config, say), () => [source], say)
  const signal = await waitForEndSignal()
  end.abort()
  await watching
  return signalExitCodes[signal]
}
