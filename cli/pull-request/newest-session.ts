import fs from 'node:fs'
import type { Config } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { listPrepared } from '#runner/pull-request/index.ts'
import { findSession, type Session } from '#session'
import { findRecordOf, type PullRequestRecord } from './record.ts'

/** The session whose work a pull request has now: another one than that which opened it, after new attempts. */
export function findNewest(config: Config, session: Session): Session {
  const newest = findRecordOf(config.home, session.id)?.sessions.at(-1)
  if (newest === undefined || newest === session.id) return session
  return findIfPresent(config, newest) ?? session
}

/** The commits that dispatch has pushed to the branch of a pull request, and those that it was about to push. */
export function listPushedCommits(
  config: Config,
  { sessions, branch, pushed }: Pick<PullRequestRecord, 'sessions' | 'branch' | 'pushed'>,
): string[] {
  return sessions.flatMap(id => {
    const session = findIfPresent(config, id)
    return session === undefined ? (pushed[id] ?? []) : listPreparedCommits(session, branch)
  })
}

/** The commits of one session that were pushed to a branch, and those that were about to be. */
export function listPreparedCommits(session: Session, branch: string): string[] {
  return listPrepared(session).flatMap(prepared => (prepared.branch === branch ? [prepared.commit] : []))
}

/** What was asked of the session that opened a pull request. */
export function readFirst({ paths, manifest }: Session): NonNullable<PullRequestRecord['first']> {
  return { task: fs.readFileSync(paths.task, 'utf8'), title: manifest.task.title }
}

/** A session may have been removed. */
export function findIfPresent(config: Config, id: string): Session | undefined {
  try {
    return findSession(config.workspace, id)
  } catch (error) {
    if (error instanceof DispatchError) return undefined
    throw error
  }
}
