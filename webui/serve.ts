import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { z } from 'zod'
import {
  type Config,
  DispatchError,
  exits,
  isErrno,
  makePrivate,
  readIfPresent,
  storageError,
  writeAtomic,
} from '../host/index.ts'
import { createApp } from './app.ts'
import { pageRecord, readRecord, whoAnswers } from './running.ts'

const loopback = '127.0.0.1'
const portsTried = 21

/** The page is open here, or was running already. */
export type Served =
  | { is: 'opened'; url: string; port: number; close(): Promise<void> }
  | { is: 'running'; url: string; port: number; pid: number }

/**
 * Open this home's page on loopback, or find it. A port that a stranger holds is left to the stranger, and the next of
 * 21 is tried; nobody is ever asked to leave. `silence` tells why notices do not arrive, when they do not.
 */
export async function serve(
  config: Pick<Config, 'home' | 'workspace' | 'install' | 'WEBUI_PORT'>,
  silence: () => string = () => '',
): Promise<Served> {
  const record = readRecord(config.home)
  const first = record && (await whoAnswers(record.port, config.home))
  if (record && typeof first === 'object') return { is: 'running', url: record.url, port: record.port, pid: first.pid }
  const { workspace, home, install } = config
  const app = createApp({ workspace, home, version: versionOf(install), silence })
  for (const port of candidates(config.WEBUI_PORT)) {
    const server = await tryPort(app, port, config.home)
    if (server === 'taken') continue
    return 'pid' in server
      ? { is: 'running', url: addressOf(port), port, pid: server.pid }
      : opened(server, config.home)
  }
  throw new DispatchError(`no free port from ${config.WEBUI_PORT} to ${config.WEBUI_PORT + portsTried - 1}`, {
    exit: exits.conflict,
    remedy: 'Set WEBUI_PORT to a free port, or to 0 to go without the page.',
  })
}

/** Ask before binding: on some systems a bind to loopback succeeds beside a stranger who listens on every address. */
async function tryPort(
  app: http.RequestListener,
  port: number,
  home: string,
): Promise<http.Server | 'taken' | { pid: number }> {
  const before = await whoAnswers(port, home)
  if (before === 'stranger') return 'taken'
  if (before !== 'nobody') return before
  try {
    return await listen(app, port)
  } catch (error) {
    if (isErrno(error, 'EACCES')) throw notAllowed(port)
    if (!isErrno(error, 'EADDRINUSE')) throw error
    const now = await whoAnswers(port, home)
    return typeof now === 'object' ? now : 'taken'
  }
}

function listen(app: http.RequestListener, port: number): Promise<http.Server> {
  return new Promise((resolve, reject) => {
    const server = http.createServer(app)
    server.once('error', reject)
    server.listen(port, loopback, () => resolve(server))
  })
}

function opened(server: http.Server, home: string): Served {
  const { port } = server.address() as AddressInfo
  const url = addressOf(port)
  makePrivate(home)
  writeAtomic(pageRecord(home), `${JSON.stringify({ pid: process.pid, port, url })}\n`)
  return { is: 'opened', url, port, close: () => close(server, home) }
}

/** Stop answering, and take our record with us (a successor's stays). */
async function close(server: http.Server, home: string): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
  try {
    if (readRecord(home)?.pid === process.pid) fs.rmSync(pageRecord(home), { force: true })
  } catch (error) {
    throw storageError(pageRecord(home), error)
  }
}

function candidates(first: number): number[] {
  return Array.from({ length: portsTried }, (_, step) => first + step).filter(port => port <= 65_535)
}

function addressOf(port: number): string {
  return `http://${loopback}:${port}`
}

function notAllowed(port: number): DispatchError {
  return new DispatchError(`this user may not listen on port ${port}`, {
    exit: exits.usage,
    remedy: 'Set WEBUI_PORT to 1024 or more.',
  })
}

function versionOf(install: string): string {
  const text = readIfPresent(path.join(install, 'package.json')) ?? '{}'
  return z.looseObject({ version: z.string() }).safeParse(JSON.parse(text)).data?.version ?? 'unknown'
}
