import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import { z } from 'zod'
import { isErrno } from '#host/error.ts'
import { readJson } from '#host/fs'
import { Code } from '#host/installed-code'
import { readLeaseHolder } from '#host/lease'
import { checkLiveness, endProcess, hasProcess, type ProcessIdentity } from '#host/process'

/** The content of `web.json`: the page that was started last for a home. */
const ServerRecord = z.object({ pid: z.number(), port: z.number(), url: z.string(), code: Code.optional() })

const Health = z.object({ name: z.literal('claude-dispatch'), home: z.string(), pid: z.number() })

/** What `/healthz` says about the page, and about the daemon that it knows of. */
const FullHealth = Health.extend({
  version: z.string(),
  daemon: z.object({ pid: z.number(), version: z.string() }).nullable(),
})

const PROBE_TIMEOUT_MS = 500
/** For the page that the record names, whose process lives: on a busy machine it may take its time. */
const OWN_PROBE_TIMEOUT_MS = 5000
/** Only a listener whose queue is full does not take a connection at once. */
const CONNECT_TIMEOUT_MS = 5000

/** The file in which a home's page leaves its address. */
export function getServerRecordFile(home: string): string {
  return path.join(home, 'web.json')
}

/** The lease of the process that serves a home's page. */
export function getServerLeaseFolder(home: string): string {
  return path.join(home, 'web')
}

/** The address of a home's page, if it answers there. */
export async function findRunningServer(home: string): Promise<string | undefined> {
  return (await findRecordedServer(home))?.url
}

/** The page that the home's record names, if it answers there. */
export async function findRecordedServer(
  home: string,
): Promise<{ url: string; port: number; pid: number } | undefined> {
  const record = readServerRecord(home)
  if (record === undefined) return undefined
  const timeoutMs = hasProcess(record.pid) ? OWN_PROBE_TIMEOUT_MS : PROBE_TIMEOUT_MS
  const user = await probePort(record.port, home, timeoutMs)
  return typeof user === 'object' ? { url: record.url, port: record.port, pid: user.pid } : undefined
}

/** End a home's page, also one that does not answer, and wait until it has ended. */
export async function stopRunningServer(home: string): Promise<void> {
  const server = (await findLeaseHolder(home)) ?? (await findRecordedServer(home))?.pid
  if (server !== undefined) await endProcess(server)
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

/**
 * Find out what uses a port on loopback: this home's page, another program, or none. A program that does not answer in time is
 * another one.
 */
export async function probePort(
  port: number,
  home: string,
  timeoutMs = PROBE_TIMEOUT_MS,
): Promise<{ pid: number } | 'other' | 'free'> {
  // However busy this process is, a port without a listener is free: that must not depend on the time.
  if (!(await hasListener(port))) return 'free'
  const health = Health.safeParse(await askHealth(port, timeoutMs).catch(() => undefined))
  return health.success && health.data.home === home ? { pid: health.data.pid } : 'other'
}

// --- internal ---

async function findLeaseHolder(home: string): Promise<ProcessIdentity | undefined> {
  const holder = readLeaseHolder(getServerLeaseFolder(home))
  return holder !== undefined && (await checkLiveness(holder)) === 'alive' ? holder : undefined
}

async function hasListener(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) })
    return true
  } catch (error) {
    return !isErrno(error, 'ECONNREFUSED')
  } finally {
    socket
      .on('error', () => undefined)
      .resume()
      .end()
      .unref() // Closed as a program expects it, without a reset.
  }
}

async function askHealth(port: number, timeoutMs = PROBE_TIMEOUT_MS): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, {
    signal: AbortSignal.timeout(timeoutMs),
    redirect: 'error',
  })
  return answer.json()
}
