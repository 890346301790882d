import type { AnswerMemory } from '#forge'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { MINUTE_MS, SECOND_MS } from '#host/time.ts'
import { listProjects } from '#projects'
import { readPause } from '#queue'
import { formatForgeKey } from '../forge-record.ts'
import { ReportOnce } from '../report-once.ts'
import { watchLoop } from '../watch-loop.ts'
import { findAttemptItem } from './end-attempt.ts'
import { notifyPullRequests } from './notifications.ts'
import { pollPullRequest } from './poll.ts'
import { listOpenRecords, type PullRequestRecord } from './record.ts'

/**
 * Look at the pull requests of the projects that say so, until `end` aborts: GitHub is asked once a minute, and at once when a new attempt
 * has ended. Nothing is done while dispatch is paused. What fails is said once, and ends nothing.
 */
export async function watchPullRequests(
  end: AbortSignal,
  readConfig: () => Config,
  say: (line: string) => void,
): Promise<void> {
  const watch = new PullRequestWatch()
  const rhythm = { home: readConfig().home, intervalMs: LOOK_INTERVAL_MS, end }
  await watchLoop(rhythm, () => watch.look(readConfig(), say), say)
}

/** What a watch keeps: answers of GitHub, and what it has said. */
export class PullRequestWatch {
  private readonly memories = new Map<string, AnswerMemory>()
  private readonly lookedAtMs = new Map<string, number>()
  private readonly said = new ReportOnce()

  /** One look at all of them. */
  async look(config: Config, say: (line: string) => void): Promise<void> {
    if (readPause(config.home, new Date()) !== undefined) return
    const followed = listFollowed(config)
    let hasLooked = false
    for (const record of followed) hasLooked = (await this.lookAt(config, record, say)) || hasLooked
    const urls = new Set(followed.map(({ url }) => url))
    for (const url of this.memories.keys()) if (!urls.has(url)) this.memories.delete(url)
    notifyPullRequests(config, hasLooked ? listFollowed(config) : followed)
  }

  /** Returns whether it was due. */
  private async lookAt(config: Config, record: PullRequestRecord, say: (line: string) => void): Promise<boolean> {
    const { url } = record
    const isDue = performance.now() - (this.lookedAtMs.get(url) ?? Number.NEGATIVE_INFINITY) >= MINUTE_MS
    if (this.said.rests(url) || (!isDue && !(await hasEndedAttempt(config, record)))) return false
    this.lookedAtMs.set(url, performance.now())
    const memory = this.memories.get(url) ?? new Map()
    this.memories.set(url, memory)
    try {
      const looked = await pollPullRequest(config, record, { memory, say: () => undefined })
      this.said.succeed(url)
      if (looked && looked.state !== record.state)
        say(`${formatForgeKey(record)}: ${looked.state}${looked.reason === '' ? '' : `, ${looked.reason}`}`)
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error
      if (this.said.fail(url, error.message)) say(`${formatForgeKey(record)}: ${error.message}. It goes on later.`)
    }
    return true
  }
}

// --- internal ---

/** How long a new attempt that has ended waits at the most. */
const LOOK_INTERVAL_MS = 10 * SECOND_MS

function listFollowed({ home }: Config): PullRequestRecord[] {
  const folders = listProjects(home).flatMap(({ path, pullRequests }) => (pullRequests === 'follow' ? [path] : []))
  if (folders.length === 0) return []
  return listOpenRecords(home).filter(({ checkout }) => folders.includes(checkout))
}

async function hasEndedAttempt(config: Config, record: PullRequestRecord): Promise<boolean> {
  if (record.state === 'answering') return true
  if (record.state !== 'retrying') return false
  const item = await findAttemptItem(config, record)
  return item === undefined || ['done', 'needs you', 'cancelled'].includes(item.state)
}
