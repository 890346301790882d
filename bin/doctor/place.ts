import fs from 'node:fs'
import path from 'node:path'
import { type Config, DispatchError, fileSystemOf, prepareHome } from '../../host/index.ts'
import { runningPage, whoAnswers } from '../../webui/index.ts'
import { bad, good, type Symptom, weak } from './symptom.ts'

/** The folder everything lies in: writable, roomy, on a disk of this machine's own. */
export async function home(config: Config): Promise<Symptom[]> {
  try {
    prepareHome(config)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return [bad('home', error.message, error.remedy)]
  }
  const free = spaceIn(config.home)
  const words = `${config.home}, ${inWords(free)} free`
  const tidy = 'Remove what you no longer need: `dispatch rm` and old folders of its workspace/'
  const { network, kind } = await fileSystemOf(config.home)
  return [
    free < 100 * mebi ? bad('home', words, tidy) : free < 2048 * mebi ? weak('home', words, tidy) : good('home', words),
    ...(network
      ? [
          weak(
            'disk',
            `DISPATCH_HOME lies on a network (${kind}): locks and watches there cannot be relied on`,
            'Set DISPATCH_HOME to a folder on a disk of this machine',
          ),
        ]
      : []),
    ...openToOthers(path.join(config.home, '.env')),
  ]
}

/** Whether the page's port is free, or in use by the page or by another program, which is left alone. */
export async function page({ WEBUI_PORT: port, home }: Config): Promise<Symptom> {
  if (port === 0) return good('page', 'switched off (WEBUI_PORT=0)')
  const running = await runningPage(home)
  if (running !== undefined) return good('page', running)
  const who = await whoAnswers(port, home)
  if (typeof who === 'object') return good('page', `http://127.0.0.1:${port}, served by process ${who.pid}`)
  if (who === 'nobody') return good('page', `port ${port} is free; the page starts with the next dispatch`)
  const fixWith = (look: string) =>
    `The page takes the next free port by itself. \`${look}\` shows which program it is. For a port of its own: WEBUI_PORT=… in ${home}/.env`
  return weak('page', `port ${port} is in use by another program`, {
    mac: fixWith(`lsof -nP -iTCP:${port} -sTCP:LISTEN`),
    linux: fixWith(`ss -ltnp 'sport = :${port}'`),
  })
}

// --- internal ---

const mebi = 1024 * 1024

function spaceIn(folder: string): number {
  const { bavail, bsize } = fs.statfsSync(folder)
  return bavail * bsize
}

function inWords(bytes: number): string {
  return bytes < 1024 * mebi ? `${Math.floor(bytes / mebi)} MiB` : `${(bytes / mebi / 1024).toFixed(1)} GiB`
}

function openToOthers(file: string): Symptom[] {
  const mode = fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0
  return (mode & 0o077) === 0
    ? []
    : [weak('secrets', `${file} can be read by others on this machine`, `\`chmod 600 ${file}\``)]
}
