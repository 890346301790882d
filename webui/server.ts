import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { z } from 'zod'
import type { Config } from '#host/config'
import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
import { makePrivateFolder, readIfPresent, toStorageError, writeAtomic } from '#host/fs'
import { createApp } from './app.ts'
import { getServerRecordFile, probePort, readServerRecord } from './find-server.ts'

const LOOPBACK_ADDRESS = '127.0.0.1'
const MAX_PORTS = 21

/** The page is open here, or was running already. */
export type ServeResult =
  | { kind: 'opened'; url: string; port: number; close(): Promise<void> }
  | { kind: 'running'; url: string; port: number; pid: number }

/**
 * Open this home's page on loopback, or find it. A port that a stranger holds is left to the stranger, and the next of
 * 21 is tried; nobody is ever asked to leave. `silence` tells why notices do not arrive, when they do not.
 */
export async function startServer(
  config: Pick<Config, 'home' | 'workspace' | 'installFolder' | 'WEBUI_PORT'>,
  getChannelWarning: () => string = () => '',
): Promise<ServeResult> {
  const record = readServerRecord(config.home)
  const first = record && (await probePort(record.port, config.home))
  if (record && typeof first === 'object')
    return { kind: 'running', url: record.url, port: record.port, pid: first.pid }
  const { workspace, home, installFolder } = config
  const app = createApp({ workspace, home, version: readVersion(installFolder), getChannelWarning })
  for (const port of listCandidatePorts(config.WEBUI_PORT)) {
    const server = await tryPort(app, port, config.home)
    if (server === 'taken') continue
    return 'pid' in server
      ? { kind: 'running', url: buildUrl(port), port, pid: server.pid }
      : toServeResult(server, config.home)
  }
  throw new DispatchError(`no free port from ${config.WEBUI_PORT} to ${config.WEBUI_PORT + MAX_PORTS - 1}`, {
    exitCode: exitCodes.conflict,
    remedy: 'Set WEBUI_PORT to a free port, or to 0 to go without the page.',
  })
}

/** Ask before binding: on some systems a bind to loopback succeeds beside a stranger who listens on every address. */
async function tryPort(
  app: http.RequestListener,
  port: number,
  home: string,
): Promise<http.Server | 'taken' | { pid: number }> {
  const before = await probePort(port, home)
  if (before === 'stranger') return 'taken'
  if (before !== 'nobody') return before
  try {
    return await listen(app, port)
  } catch (error) {
    if (isErrno(error, 'EACCES')) throw createPortError(port)
    if (!isErrno(error, 'EADDRINUSE')) throw error
    const now = await probePort(port, home)
    return typeof now === 'object' ? now : 'taken'
  }
}

function listen(app: http.RequestListener, port: number): Promise<http.Server> {
  return new Promise((resolve, reject) => {
    const server = http.createServer(app)
    server.once('error', reject)
    server.listen(port, LOOPBACK_ADDRESS, () => resolve(server))
  })
}

function toServeResult(server: http.Server, home: string): ServeResult {
  const { port } = server.address() as AddressInfo
  const url = buildUrl(port)
  makePrivateFolder(home)
  writeAtomic(getServerRecordFile(home), `${JSON.stringify({ pid: process.pid, port, url })}\n`)
  return { kind: 'opened', url, port, close: () => close(server, home) }
}

/** Stop answering, and take our record with us (a successor's stays). */
async function close(server: http.Server, home: string): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
  try {
    if (readServerRecord(home)?.pid === process.pid) fs.rmSync(getServerRecordFile(home), { force: true })
  } catch (error) {
    throw toStorageError(getServerRecordFile(home), error)
  }
}

function listCandidatePorts(first: number): number[] {
  return Array.from({ length: MAX_PORTS }, (_, step) => first + step).filter(port => port <= 65_535)
}

function buildUrl(port: number): string {
  return `http://${LOOPBACK_ADDRESS}:${port}`
}

function createPortError(port: number): DispatchError {
  return new DispatchError(`this user may not listen on port ${port}`, {
    exitCode: exitCodes.usage,
    remedy: 'Set WEBUI_PORT to 1024 or more.',
  })
}

function readVersion(install: string): string {
  const text = readIfPresent(path.join(install, 'package.json')) ?? '{}'
  return z.looseObject({ version: z.string() }).safeParse(JSON.parse(text)).data?.version ?? 'unknown'
}
