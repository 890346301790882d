import { stripEscapeSequences, toOneLine } from '#host/text.ts'
import { isLoopback } from './address.ts'
import type { CheckReport } from './check-runs.ts'
import { isDenied } from './errors.ts'
import { downloadTail } from './fetch.ts'
import type { Forge } from './forge.ts'

/**
 * The last lines that a job of GitHub Actions has printed before it failed. They lie on another server, at an address that GitHub gives:
 * that one gets no token. Empty for another check, for a log that this login may not see, and for one that is not there any more; where the
 * other server cannot be reached, a line says so. `redact` gets the log before its lines are cut.
 */
export async function readJobLog(
  { repository, request }: Forge,
  { name, jobId }: CheckReport,
  redact: (log: string) => string,
): Promise<string[]> {
  if (jobId === undefined) return []
  let location: string | undefined
  try {
    const { headers } = await request(`read the log of ${name}`, client =>
      client.request('GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs', {
        ...{ ...repository, job_id: jobId },
        request: { redirect: 'manual' },
      }),
    )
    location = headers.location
  } catch (error) {
    if (isDenied(error) || isGone(error)) return []
    throw error
  }
  const url = location === undefined ? null : URL.parse(location)
  if (url === null || !(url.protocol === 'https:' || isLoopback(url.host))) return []
  try {
    // Before lines are cut: half a secret is still a secret.
    return selectFailure(redact(await downloadTail(url, MAX_TAIL_BYTES)))
  } catch (error) {
    return [`the log could not be read: ${toOneLine(String(error), MAX_LINE_CHARS)}`]
  }
}

/**
 * What tells most of a log: the command of the step that failed, and the last lines before its failure; without a failure in it, the last
 * lines of all. Pure.
 */
export function selectFailure(log: string): string[] {
  const lines = log.split(/\r?\n/).map(line => stripEscapeSequences(line.replace(TIME, '')))
  const failedAt = lines.findLastIndex(line => line.startsWith(ERROR))
  const end = failedAt === -1 ? lines.length : failedAt + 1
  const beginsAt = lines.slice(0, end).findLastIndex(line => line.startsWith(STEP))
  const body = lines.slice(beginsAt + 1, end)
  // The step begins with its script and settings, as one group.
  const settingsEndAt = beginsAt === -1 ? -1 : body.findIndex(line => line.startsWith(GROUP_END))
  const said = body.slice(settingsEndAt + 1).filter(line => line.trim() !== '' && !line.startsWith(GROUP_END))
  const command = beginsAt === -1 ? [] : [lines[beginsAt]?.slice(GROUP.length) ?? '']
  return [...command, ...said.slice(-MAX_LINE_COUNT)].map(line => toOneLine(line.replace(MARK, ''), MAX_LINE_CHARS))
}

// --- internal ---

const MAX_TAIL_BYTES = 256 << 10
const MAX_LINE_COUNT = 20
const MAX_LINE_CHARS = 400

/** Each line begins with the time at which it was printed. */
const TIME = /^\ufeff?\d{4}-\d\d-\d\dT[\d:.]+Z /
const ERROR = '##[error]'
const GROUP = '##[group]'
const STEP = `${GROUP}Run `
const GROUP_END = '##[endgroup]'
const MARK = /^##\[(error|group|warning|notice|debug|command)\]/

/** A log is kept for some weeks. */
const isGone = (error: unknown) => (error as { status?: unknown }).status === 410
