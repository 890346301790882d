import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isErrno } from '#host/error.ts'
import { readJson } from '#host/fs'
import { Code } from '#host/installed-code'
import { hasProcess, sendSignal } from '#host/process'

/** The content of `web.json`: the page that was started last for a home. */
const ServerRecord = z.object({ pid: z.number(), port: z.number(), url: z.string(), code: Code.optional() })

const Health = z.object({ name: z.literal('claude-dispatch'), home: z.string(), pid: z.number() })

/** What `/healthz` says about the page, and about the daemon that it knows of. */
const FullHealth = Health.extend({
  version: z.string(),
  daemon: z.object({ pid: z.number(), version: z.string() }).nullable(),
})

const PROBE_TIMEOUT_MS = 500
const STOP_TIMEOUT_MS = 3000
const STOP_POLL_MS = 20

/** The file in which a home's page leaves its address. */
export function getServerRecordFile(home: string): string {
  return path.join(home, 'web.json')
}

/** The address of a home's page, if it answers there. */
export async function findRunningServer(home: string): Promise<string | undefined> {
  const record = readServerRecord(home)
  return record && typeof (await probePort(record.port, home)) === 'object' ? record.url : undefined
}

/** End a home's page, if it answers, and wait until it has ended. */
export async function stopRunningServer(home: string): Promise<void> {
  const record = readServerRecord(home)
  const answer = record && (await probePort(record.port, home))
  if (typeof answer !== 'object') return
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    sendSignal(answer.pid, signal)
    for (const endMs = Date.now() + STOP_TIMEOUT_MS; Date.now() < endMs; await sleep(STOP_POLL_MS))
      if (!hasProcess(answer.pid)) return
  }
}

/** Read the record; undefined if it is missing or damaged. The page may have ended since. */
export function readServerRecord(home: string): z.infer<typeof ServerRecord> | undefined {
  return ServerRecord.safeParse(readJson(getServerRecordFile(home))).data
}

/** The code of the page that was started last, if its process runs and told it. */
export function readPageCode(home: string): Code | undefined {
  const record = readServerRecord(home)
  return record && hasProcess(record.pid) ? record.code : undefined
}

/** What the page of a home says about itself; undefined if it does not answer. */
export async function readHealth(home: string): Promise<z.infer<typeof FullHealth> | undefined> {
  const record = readServerRecord(home)
  const health = record && FullHealth.safeParse(await askHealth(record.port).catch(() => undefined)).data
  return health?.home === home ? health : undefined
}

/** Find out what uses a port on loopback: this home's page, another program, or none. */
export async function probePort(port: number, home: string): Promise<{ pid: number } | 'other' | 'free'> {
  try {
    const health = Health.safeParse(await askHealth(port))
    return health.success && health.data.home === home ? { pid: health.data.pid } : 'other'
  } catch (error) {
    return error instanceof Error && isErrno(error.cause, 'ECONNREFUSED') ? 'free' : 'other'
  }
}

// --- internal ---

async function askHealth(port: number): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, {
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    redirect: 'error',
  })
  return answer.json()
}
