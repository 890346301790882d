import { once } from 'node:events'
import fs from 'node:fs'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#host/config'
import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
import { makePrivateFolder, toStorageError, writeAtomic } from '#host/fs'
import { http } from '#host/http.ts'
import { type Code, readCode } from '#host/installed-code'
import { acquireLease, readLeaseHolder, releaseLease } from '#host/lease'
import { identify } from '#host/process'
import { createApp } from './app.ts'
import {
  findRecordedServer,
  getServerLeaseFolder,
  getServerRecordFile,
  probePort,
  readServerRecord,
} from './find-server.ts'

const LOOPBACK_ADDRESS = '127.0.0.1'
const PORT_ATTEMPTS = 21
const MAX_PORT = 65_535

/** The page was opened by this process, or was running before. */
export type ServeResult =
  | { kind: 'opened'; url: string; port: number; close(): Promise<void> }
  | { kind: 'running'; url: string; port: number; pid: number }

/** What the page asks of the process that serves it. */
interface PageCallbacks {
  /** Why notifications are not arriving. It is called for each page. */
  getChannelWarning?: () => string
  /** Called for an error that a visitor is not shown. */
  report?: (error: unknown) => void
}

/**
 * Open a home's page on loopback, or find the one that is running. If another program uses the port, the next ones are tried,
 * 21 in all. Exit 5 if there is no free one, 124 if another process serves the page and does not answer.
 */
export async function startServer(config: ServerConfig, callbacks: PageCallbacks = {}): Promise<ServeResult> {
  const { home, WEBUI_PORT } = config
  const folder = getServerLeaseFolder(home)
  const self = await identify(process.pid)
  for (const endMs = performance.now() + ANSWER_TIMEOUT_MS; performance.now() < endMs; await sleep(POLL_MS)) {
    const recorded = await findRecordedServer(home)
    if (recorded !== undefined) return { kind: 'running', ...recorded }
    // Whether a page answers in time depends on how busy the machine is. That there is only one does not.
    const lease = self && (await acquireLease(folder, self, { elsewhereExpiresMs: 0 }))
    if (lease === undefined) {
      const unrecorded = await findUnrecordedPage(WEBUI_PORT, home)
      if (unrecorded !== undefined) return unrecorded
      continue
    }
    const release = () => releaseLease(folder, lease)
    try {
      return await openPage(config, callbacks, release)
    } catch (error) {
      release()
      throw error
    }
  }
  const pid = readLeaseHolder(folder)?.pid
  throw new DispatchError(`process ${pid ?? 'unknown'} serves the page, and does not answer`, {
    exitCode: exitCodes.deadline,
    remedy: pid === undefined ? 'Try again.' : `To end it: kill ${pid}. The next start opens another`,
  })
}

// --- internal ---

type ServerConfig = Pick<Config, 'home' | 'workspace' | 'installFolder' | 'WEBUI_PORT' | 'WEBUI_HOSTS'>

/** How long another process that opens the page has until it answers. */
const ANSWER_TIMEOUT_MS = 20_000
const POLL_MS = 50

/** The page of a home whose record is not there, yet or any more. */
async function findUnrecordedPage(firstPort: number, home: string): Promise<ServeResult | undefined> {
  for (const port of listPorts(firstPort)) {
    const user = await probePort(port, home)
    if (typeof user === 'object') return { kind: 'running', url: buildUrl(port), port, pid: user.pid }
  }
  return undefined
}

function listPorts(firstPort: number): number[] {
  return Array.from({ length: PORT_ATTEMPTS }, (_, index) => firstPort + index).filter(port => port <= MAX_PORT)
}

/** Open the page on the first free port. `release` is called when it has closed. */
async function openPage(
  config: ServerConfig,
  { getChannelWarning = () => '', report = console.error }: PageCallbacks,
  release: () => void,
): Promise<ServeResult> {
  const { workspace, home, installFolder, WEBUI_PORT } = config
  const code = readCode(installFolder)
  const app = createApp({
    workspace,
    home,
    hostNames: config.WEBUI_HOSTS.split(/[ ,]+/).filter(name => name !== ''),
    version: code.version,
    getChannelWarning,
    report,
  })
  for (const port of listPorts(WEBUI_PORT)) {
    const server = await tryPort(app, port, home)
    if (server !== 'taken') return toServeResult(server, home, code, release)
  }
  throw new DispatchError(`the ports from ${WEBUI_PORT} to ${WEBUI_PORT + PORT_ATTEMPTS - 1} are in use`, {
    exitCode: exitCodes.conflict,
    remedy: 'Set WEBUI_PORT to a free port, or to 0 to switch the page off.',
  })
}

/** Probe before listening: on some systems both succeed, for a program that listens on every address, and for this one. */
async function tryPort(app: RequestListener, port: number, home: string): Promise<Server | 'taken'> {
  if ((await probePort(port, home)) !== 'free') return 'taken'
  try {
    const server = http.createServer(app).listen(port, LOOPBACK_ADDRESS)
    await once(server, 'listening')
    return server
  } catch (error) {
    if (isErrno(error, 'EACCES'))
      throw new DispatchError(`this user may not listen on port ${port}`, {
        exitCode: exitCodes.usage,
        remedy: 'Set WEBUI_PORT to 1024 or more.',
      })
    if (!isErrno(error, 'EADDRINUSE')) throw error
    return 'taken'
  }
}

function toServeResult(server: Server, home: string, code: Code, release: () => void): ServeResult {
  const { port } = server.address() as AddressInfo
  const url = buildUrl(port)
  makePrivateFolder(home)
  writeAtomic(getServerRecordFile(home), `${JSON.stringify({ pid: process.pid, port, url, code })}\n`)
  return { kind: 'opened', url, port, close: () => close(server, home).finally(release) }
}

/** Close the server and delete its record, unless a later page has replaced it. */
async function close(server: Server, home: string): Promise<void> {
  const closed = once(server.close(), 'close')
  server.closeAllConnections()
  await closed
  try {
    if (readServerRecord(home)?.pid === process.pid) fs.rmSync(getServerRecordFile(home), { force: true })
  } catch (error) {
    throw toStorageError(getServerRecordFile(home), error)
  }
}

function buildUrl(port: number): string {
  return `http://${LOOPBACK_ADDRESS}:${port}`
}
