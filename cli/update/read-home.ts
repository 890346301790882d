import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { type Config, readConfig, readDefaultConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { listNames, readJson } from '#host/fs'
import { buildDispatchCommand, readCode } from '#host/installed-code'
import { parseJson } from '#host/json.ts'
import { copyDatabase, isSqliteError } from '#host/sqlite.ts'
import { MINUTE_MS } from '#host/time.ts'
import { getOutboxFolders, listEnabledChannels, QueuedNotification } from '#notify'
import { listProjects } from '#projects'
import { openQueue } from '#queue'
import { isSessionId, listSessions } from '#session'
import { readLog } from '#session/log'
import { computeStatus } from '#session/status'

/** What one version of dispatch can read of a home. Another version prints it, so a newer one only adds to it. */
const HomeReading = z.object({
  version: z.string(),
  /** The ids of the sessions that it can read. */
  sessions: z.array(z.string()),
  /** Those among them that a newer dispatch wrote, so that it only shows them. */
  readOnly: z.array(z.string()),
  /** Sessions that it cannot read, and what is wrong with settings, queue, projects and notifications, for a person. */
  unreadable: z.array(z.string()),
  problems: z.array(z.string()),
})

export type HomeReading = z.infer<typeof HomeReading>

/** Read all of this home that a newer or an older dispatch may have written, without writing anything there. */
export async function readHome(): Promise<HomeReading> {
  const problems: string[] = []
  const config = (await tryTo(problems, readConfig)) ?? readDefaultConfig()
  const sessions = listSessions(config.workspace)
  const ids = new Set(sessions.map(({ id }) => id))
  for (const { paths } of sessions.slice(0, MAX_REPLAYED_COUNT)) computeStatus(readLog(paths.events).events)
  await tryTo(problems, () => tryQueue(config))
  await tryTo(problems, () => listProjects(config.home))
  problems.push(...findUnreadableNotifications(config))
  return {
    version: readCode().version,
    sessions: [...ids],
    readOnly: sessions.flatMap(({ id, newerFormat }) => (newerFormat === undefined ? [] : [id])),
    unreadable: listNames(config.workspace).filter(
      id => isSessionId(id) && !ids.has(id) && fs.existsSync(path.join(config.workspace, id, 'session.json')),
    ),
    problems,
  }
}

/** What the version in this folder can read of this home. Exit 6 if it does not say. */
export async function askVersion(folder: string, end?: AbortSignal): Promise<HomeReading> {
  const [node, program] = buildDispatchCommand(folder)
  const ran = await runProgram(node, [program, 'update', '--read-home'], {
    timeoutMs: READ_TIMEOUT_MS,
    maxOutputBytes: MAX_READING_BYTES,
    ...(end ? { end } : {}),
  })
  const reading = HomeReading.safeParse(parseJson(ran.stdout)).data
  if (reading) return reading
  const reason = ran.timedOut ? 'it ran out of time' : ran.stderr.trim() || `exit ${ran.exitCode ?? ran.signal}`
  throw new DispatchError(`the dispatch in ${folder} does not say what it can read: ${reason}`, {
    exitCode: exitCodes.dependency,
    remedy: 'Nothing was changed. It may be older than `dispatch update`; then install it with git and npm ci.',
  })
}

// --- internal ---

/** Of so many of the newest sessions the log is read too. */
const MAX_REPLAYED_COUNT = 200
const READ_TIMEOUT_MS = 5 * MINUTE_MS
const MAX_READING_BYTES = 16 << 20

/** Open a copy of the queue, as this dispatch would open the queue itself, and list it. */
async function tryQueue({ home }: Config): Promise<void> {
  const file = path.join(home, 'queue.db')
  if (!fs.existsSync(file)) return
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-queue-'))
  try {
    await copyDatabase(file, path.join(folder, 'queue.db'))
    const queue = await openQueue(folder, { readSessionEnd: async () => 'pending' })
    try {
      await queue.list()
    } finally {
      queue.close()
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function findUnreadableNotifications(config: Config): string[] {
  return listEnabledChannels(config).flatMap(channel => {
    const { waiting } = getOutboxFolders(config.home, channel)
    const files = listNames(waiting).filter(name => name.endsWith('.json') && !name.startsWith('.'))
    // One that is gone was sent meanwhile.
    const contents = files.map(name => readJson(path.join(waiting, name))).filter(content => content !== null)
    const count = contents.filter(content => !QueuedNotification.safeParse(content).success).length
    return count === 0 ? [] : [`${count} of the notifications for ${channel} that wait`]
  })
}

async function tryTo<Result>(problems: string[], read: () => Result | Promise<Result>): Promise<Result | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof DispatchError) && !isSqliteError(error) && !(error instanceof z.ZodError)) throw error
    problems.push(error instanceof z.ZodError ? `the queue: ${z.prettifyError(error)}` : (error as Error).message)
    return undefined
  }
}
