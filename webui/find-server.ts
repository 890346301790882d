import path from 'node:path'
import { z } from 'zod'
import { isErrno } from '#host/error.ts'
import { readIfPresent } from '#host/fs'
/** What stands in `web.json`: the page that was started last for this home. */
export const ServerRecord = z.object({ pid: z.number(), port: z.number(), url: z.string() })

const Health = z.object({ name: z.literal('claude-dispatch'), home: z.string(), pid: z.number() })

/** Where a home's page leaves its address. */
export function getServerRecordFile(home: string): string {
  return path.join(home, 'web.json')
}

/** The address of this home's page, when it is there and answers as ours. */
export async function findRunningServer(home: string): Promise<string | undefined> {
  const record = readServerRecord(home)
  return record && typeof (await probePort(record.port, home)) === 'object' ? record.url : undefined
}

/** The record as it stands, whoever wrote it; undefined when there is none that reads. */
export function readServerRecord(home: string): z.infer<typeof ServerRecord> | undefined {
  try {
    return ServerRecord.safeParse(JSON.parse(readIfPresent(getServerRecordFile(home)) ?? 'null')).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Who answers on this port of loopback: this home's page and its process, somebody else, or nobody. */
export async function probePort(port: number, home: string): Promise<{ pid: number } | 'stranger' | 'nobody'> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`, {
      signal: AbortSignal.timeout(500),
      redirect: 'error',
    })
    const health = Health.safeParse(await answer.json())
    return health.success && health.data.home === home ? { pid: health.data.pid } : 'stranger'
  } catch (error) {
    return error instanceof Error && isErrno(error.cause, 'ECONNREFUSED') ? 'nobody' : 'stranger'
  }
}
