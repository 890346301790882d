import { once } from 'node:events'
import fs from 'node:fs'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from '#host/config'
import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
import { makePrivateFolder, toStorageError, writeAtomic } from '#host/fs'
import { http } from '#host/http.ts'
import { type Code, readCode } from '#host/installed-code'
import { createApp } from './app.ts'
import { getServerRecordFile, probePort, readServerRecord } from './find-server.ts'

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
 * 21 in all.
 */
export async function startServer(
  config: Pick<Config, 'home' | 'workspace' | 'installFolder' | 'WEBUI_PORT' | 'WEBUI_HOSTS'>,
  { getChannelWarning = () => '', report = console.error }: PageCallbacks = {},
): Promise<ServeResult> {
  const { workspace, home, installFolder, WEBUI_PORT } = config
  const record = readServerRecord(home)
  const recorded = record && (await probePort(record.port, home))
  if (record && typeof recorded === 'object')
    return { kind: 'running', url: record.url, port: record.port, pid: recorded.pid }
  const code = readCode(installFolder)
  const app = createApp({
    workspace,
    home,
    hostNames: config.WEBUI_HOSTS.split(/[ ,]+/).filter(name => name !== ''),
    version: code.version,
    getChannelWarning,
    report,
  })
  for (let port = WEBUI_PORT; port < WEBUI_PORT + PORT_ATTEMPTS && port <= MAX_PORT; port++) {
    const server = await tryPort(app, port, home)
    if (server === 'taken') continue
    return 'pid' in server
      ? { kind: 'running', url: buildUrl(port), port, pid: server.pid }
      : toServeResult(server, home, code)
  }
  throw new DispatchError(`the ports from ${WEBUI_PORT} to ${WEBUI_PORT + PORT_ATTEMPTS - 1} are in use`, {
    exitCode: exitCodes.conflict,
    remedy: 'Set WEBUI_PORT to a free port, or to 0 to switch the page off.',
  })
}

// --- internal ---

/** Probe before listening: on some systems both succeed, for a program that listens on every address, and for this one. */
async function tryPort(app: RequestListener, port: number, home: string): Promise<Server | 'taken' | { pid: number }> {
  const user = await probePort(port, home)
  if (user === 'other') return 'taken'
  if (user !== 'free') return user
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
    const newUser = await probePort(port, home)
    return typeof newUser === 'object' ? newUser : 'taken'
  }
}

function toServeResult(server: Server, home: string, code: Code): ServeResult {
  const { port } = server.address() as AddressInfo
  const url = buildUrl(port)
  makePrivateFolder(home)
  writeAtomic(getServerRecordFile(home), `${JSON.stringify({ pid: process.pid, port, url, code })}\n`)
  return { kind: 'opened', url, port, close: () => close(server, home) }
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
