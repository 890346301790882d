import fs from 'node:fs'
import path from 'node:path'
import { type Config, prepareHome } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { detectFileSystem } from '#host/fs'
import { findRunningServer, probePort } from '#webui'
import { type DoctorResult, fail, ok, warn } from './result.ts'

/** The folder everything lies in: writable, roomy, on a disk of this machine's own. */
export async function checkHome(config: Config): Promise<DoctorResult[]> {
  try {
    prepareHome(config)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return [fail('home', error.message, error.remedy)]
  }
  const free = readFreeBytes(config.home)
  const words = `${config.home}, ${formatSpace(free)} free`
  const tidy = 'Remove what you no longer need: `dispatch rm` and old folders of its workspace/'
  const { isNetwork, kind } = await detectFileSystem(config.home)
  return [
    free < 100 * MEBIBYTE_BYTES
      ? fail('home', words, tidy)
      : free < 2048 * MEBIBYTE_BYTES
        ? warn('home', words, tidy)
        : ok('home', words),
    ...(isNetwork
      ? [
          warn(
            'disk',
            `DISPATCH_HOME lies on a network (${kind}): locks and watches there cannot be relied on`,
            'Set DISPATCH_HOME to a folder on a disk of this machine',
          ),
        ]
      : []),
    ...checkPermissions(path.join(config.home, '.env')),
  ]
}

/** Whether the page's port is free, or in use by the page or by another program, which is left alone. */
export async function checkPage({ WEBUI_PORT: port, home }: Config): Promise<DoctorResult> {
  if (port === 0) return ok('page', 'switched off (WEBUI_PORT=0)')
  const running = await findRunningServer(home)
  if (running !== undefined) return ok('page', running)
  const who = await probePort(port, home)
  if (typeof who === 'object') return ok('page', `http://127.0.0.1:${port}, served by process ${who.pid}`)
  if (who === 'nobody') return ok('page', `port ${port} is free; the page starts with the next dispatch`)
  const fixWith = (look: string) =>
    `The page takes the next free port by itself. \`${look}\` shows which program it is. For a port of its own: WEBUI_PORT=… in ${home}/.env`
  return warn('page', `port ${port} is in use by another program`, {
    mac: fixWith(`lsof -nP -iTCP:${port} -sTCP:LISTEN`),
    linux: fixWith(`ss -ltnp 'sport = :${port}'`),
  })
}

// --- internal ---

const MEBIBYTE_BYTES = 1024 * 1024

function readFreeBytes(folder: string): number {
  const { bavail, bsize } = fs.statfsSync(folder)
  return bavail * bsize
}

function formatSpace(bytes: number): string {
  return bytes < 1024 * MEBIBYTE_BYTES
    ? `${Math.floor(bytes / MEBIBYTE_BYTES)} MiB`
    : `${(bytes / MEBIBYTE_BYTES / 1024).toFixed(1)} GiB`
}

function checkPermissions(file: string): DoctorResult[] {
  const mode = fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0
  return (mode & 0o077) === 0
    ? []
    : [warn('secrets', `${file} can be read by others on this machine`, `\`chmod 600 ${file}\``)]
}
