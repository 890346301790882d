import type { IssueQuery } from '#forge/issues'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { MINUTE_MS, SECOND_MS } from '#host/time.ts'
import { listProjects } from '#projects'
import { watchLoop } from '../watch-loop.ts'
import { connectCheckout, type IssuePlace } from './connect.ts'
import { IssueMemory, reconcileIssues } from './reconcile.ts'
import type { IssueRecord } from './record.ts'
import { parseIssueQuery, SourceMemory, takeFromSource } from './source.ts'

/** Issues that start by themselves: where, and which. */
export interface IssueSource {
  folder: string
  remote: string | undefined
  query: IssueQuery
}

/**
 * Take issues from these sources, and tell on GitHub how their work goes, until `end` aborts. GitHub is asked once a minute. What fails is
 * said once, and ends nothing; with the folder of a home also after a restart.
 */
export async function watchIssues(
  end: AbortSignal,
  readConfig: () => Config,
  listSources: (config: Config) => IssueSource[],
  say: (line: string) => void,
  home?: string,
): Promise<void> {
  const watch = new IssueWatch(home)
  let polledAtMs = Number.NEGATIVE_INFINITY
  const look = async () => {
    const config = readConfig()
    if (performance.now() - polledAtMs >= MINUTE_MS) {
      polledAtMs = performance.now()
      for (const source of listSources(config)) await watch.poll(config, source, say)
    }
    await reconcileIssues(config, watch.memory, say)
  }
  await watchLoop({ home: readConfig().home, intervalMs: TELL_INTERVAL_MS, end }, look, say)
}

/** The projects whose issues start by themselves. A damaged file of one is told where projects are shown. */
export function listProjectSources({ home }: Config): IssueSource[] {
  try {
    return listProjects(home).flatMap(({ path, remote, issues }) => {
      const query = issues === null ? undefined : parseIssueQuery(issues)
      return query === undefined ? [] : [{ folder: path, remote: remote ?? undefined, query }]
    })
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return []
  }
}

/** What a watch keeps: connections, lists, and what it has said. */
export class IssueWatch {
  readonly memory: IssueMemory
  private readonly places = new Map<string, IssuePlace>()
  private readonly sources = new Map<string, SourceMemory>()

  constructor(home?: string) {
    this.memory = new IssueMemory(home)
  }

  /** Poll a source once. What fails is said once, and tried again a minute later. Returns what was taken. */
  async poll(config: Config, source: IssueSource, say: (line: string) => void): Promise<IssueRecord[]> {
    const { folder, remote, query } = source
    const key = JSON.stringify(source)
    try {
      const place = this.places.get(key) ?? (await connectCheckout(config, folder, remote))
      this.places.set(key, place)
      const memory = this.sources.get(key) ?? new SourceMemory()
      this.sources.set(key, memory)
      const taken = await takeFromSource(config, place, query, memory, { said: this.memory, say })
      this.memory.succeed(key)
      return taken
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
      this.places.delete(key) // The login may be another one by then.
      if (this.memory.fail(key, error.message))
        say(`the issues of ${folder}: ${error.message}. ${error.remedy} It goes on later.`.replaceAll('..', '.'))
      return []
    }
  }
}

// --- internal ---

/** How long a change of the work waits at the most before it is published. */
const TELL_INTERVAL_MS = 10 * SECOND_MS
