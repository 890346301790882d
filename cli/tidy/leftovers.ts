import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import type { Config } from '#host/config'
import { deleteFolder, isSocket, listNames, measureFolder } from '#host/fs'
import { formatCount } from '#host/text.ts'
import { DAY_MS } from '#host/time.ts'
import { openTmux } from '#host/tmux'
import { isSessionId } from '#session'
import { finishRemovals } from '#session/removal'
import type { Removable } from './removable.ts'

/** What processes have left that were killed: temporary files of writes, sessions that were half removed or half restored, a socket. */
export async function listLeftovers(config: Config): Promise<Removable[]> {
  return [...listDrafts(config), ...listHalfFolders(config), ...(await listStaleSocket(config))]
}

// --- internal ---

/** The name of the sibling that a write makes. A write lasts for milliseconds, so one of a day ago was cut off. */
const draftName = /^\.tmp-[0-9a-f]{16}$/

/** The folders of a home in which dispatch alone writes, however deep. */
const ownFolders = [
  ...['projects', 'confirmed', 'external-events', 'issues', 'pull-requests', 'outbox', 'landing'],
  ...['daemon', 'web', 'login-lease'],
]
/** The same in a session. */
const sessionFolders = ['', '.runner-lease', 'evidence', 'messages', 'replies']

/** Only folders in which dispatch alone writes. */
function listDrafts({ home, workspace }: Config): Removable[] {
  const sessions = listNames(workspace).filter(isSessionId)
  const folders = [
    home,
    ...ownFolders.flatMap(name => listFolders(path.join(home, name))),
    ...listNames(path.join(home, 'repositories')).map(name => path.join(home, 'repositories', name, 'commits')),
    ...listNames(path.join(home, 'prepared')).flatMap(key =>
      ['', 'claim'].map(name => path.join(home, 'prepared', key, name)),
    ),
    ...sessions.flatMap(id => sessionFolders.map(name => path.join(workspace, id, name))),
  ]
  const files = folders.flatMap(folder =>
    listNames(folder)
      .filter(name => draftName.test(name))
      .map(name => path.join(folder, name)),
  )
  const old = files.filter(isOldFile)
  if (old.length === 0) return []
  const bytes = old.reduce((sum, file) => sum + (fs.lstatSync(file, { throwIfNoEntry: false })?.size ?? 0), 0)
  const remove = async () => {
    for (const file of old.filter(isOldFile)) fs.rmSync(file, { force: true })
    return true
  }
  const reason = 'a write that was cut off more than a day ago'
  return [{ kind: 'leftovers', name: formatCount(old.length, 'temporary file'), reason, bytes, remove }]
}

/** A folder and all in it. No link is followed. */
function listFolders(folder: string): string[] {
  const below = listNames(folder).map(name => path.join(folder, name))
  return [folder, ...below.filter(isFolder).flatMap(listFolders)]
}

function isFolder(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === true
}

function isOldFile(file: string): boolean {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false })
  return stats?.isFile() === true && Date.now() - stats.mtimeMs > DAY_MS
}

/** Under these names, or without a manifest, they are no sessions. A restore or a start that runs now is younger. */
function listHalfFolders({ workspace }: Config): Removable[] {
  return listNames(workspace).flatMap((name): Removable[] => {
    const folder = path.join(workspace, name)
    const isRemoval = name.startsWith('.removed-')
    const isOldRestore = name.startsWith('.restoring-') && isOldFolder(folder)
    const isOldStart = isSessionId(name) && hasNeverStarted(folder) && isOldFolder(folder)
    if (!isRemoval && !isOldRestore && !isOldStart) return []
    const remove = async () => {
      if (isRemoval) finishRemovals(workspace)
      else deleteFolder(folder)
      return true
    }
    const reason = `its ${isRemoval ? 'removal' : isOldRestore ? 'restore' : 'start'} was cut off`
    return [{ kind: 'leftovers', name: name.replace(/^\.\w+-/, ''), reason, bytes: measureFolder(folder), remove }]
  })
}

/** The manifest is written last. The log and the work begin after it. */
function hasNeverStarted(folder: string): boolean {
  return !['session.json', 'events.jsonl', 'outputs'].some(name => listNames(folder).includes(name))
}

function isOldFolder(folder: string): boolean {
  const stats = fs.lstatSync(folder, { throwIfNoEntry: false })
  return stats !== undefined && Date.now() - stats.ctimeMs > DAY_MS
}

/** Of this machine only: another one that shares the home may have a server behind its socket. */
async function listStaleSocket({ home }: Config): Promise<Removable[]> {
  const tmux = openTmux(home)
  const { socket } = tmux
  if (path.dirname(socket) !== home || !isSocket(socket) || !(await isRefused(socket))) return []
  const remove = async () => {
    await tmux.removeStaleSocket()
    return !isSocket(socket)
  }
  return [{ kind: 'socket', name: path.basename(socket), reason: 'no tmux server listens there', bytes: 0, remove }]
}

function isRefused(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const connection = net.connect(socket)
    connection.once('connect', () => {
      connection.destroy()
      resolve(false)
    })
    connection.once('error', error => resolve('code' in error && error.code === 'ECONNREFUSED'))
  })
}
