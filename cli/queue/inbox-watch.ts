import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { makePrivateFolder } from '#host/fs'
import { MINUTE_MS } from '#host/time.ts'
import { getInbox } from '#intake'
import { getProjectsFolder, listProjects } from '#projects'
import { InboxMemory, takeFromInbox } from './inbox.ts'

/**
 * Take tasks from the inboxes of all projects until `end` aborts: at once when a file arrives, and by a look once a minute. `say`
 * gets a line for each task, each refusal and each failure, which does not end it.
 */
export async function watchInboxes(
  end: AbortSignal,
  readConfig: () => Config,
  say: (line: string) => void,
): Promise<void> {
  const { home } = readConfig()
  const memory = new InboxMemory(home)
  const watch = new FolderWatch((folder, event, name) =>
    memory.stillness.note(path.join(folder, name), event, performance.now()),
  )
  let thoroughAtMs = Number.NEGATIVE_INFINITY
  let lastFailure = ''
  while (!end.aborted) {
    let restMs = MINUTE_MS
    try {
      const isThorough = performance.now() - thoroughAtMs >= MINUTE_MS
      if (isThorough) thoroughAtMs = performance.now()
      makePrivateFolder(getProjectsFolder(home))
      const projects = listProjects(home)
      watch.follow([getProjectsFolder(home), ...projects.map(project => getInbox(project.path))])
      const config = readConfig()
      for (const project of projects)
        restMs = Math.min(restMs, (await takeFromInbox({ config, project, memory, isThorough, end, say })) ?? MINUTE_MS)
      lastFailure = ''
    } catch (error) {
      const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
      if (failure !== lastFailure) say(failure)
      lastFailure = failure
    }
    await watch.next(restMs, end)
  }
  watch.follow([])
}

// --- internal ---

/** Tells of changes in some folders. Where the system has no more watches, the caller's own looks remain. */
class FolderWatch {
  private readonly watchers = new Map<string, { watcher: fs.FSWatcher; inode: number }>()
  private readonly note: (folder: string, event: 'rename' | 'change', name: string) => void
  private hasChanged = false
  private wake: (() => void) | undefined

  constructor(note: FolderWatch['note']) {
    this.note = note
  }

  /** Watch exactly these folders, as far as they exist. One that was replaced is watched again. */
  follow(folders: string[]): void {
    for (const [folder, { watcher, inode }] of this.watchers)
      if (!folders.includes(folder) || readInode(folder) !== inode) {
        watcher.close()
        this.watchers.delete(folder)
      }
    for (const folder of folders) if (!this.watchers.has(folder)) this.open(folder)
  }

  /** Resolves at the next change, also at one since the last call; after this time; or when `end` aborts. */
  async next(timeoutMs: number, end: AbortSignal): Promise<void> {
    if (!this.hasChanged && !end.aborted)
      await new Promise<void>(resolve => {
        const finish = () => {
          clearTimeout(timer)
          end.removeEventListener('abort', finish)
          resolve()
        }
        const timer = setTimeout(finish, timeoutMs)
        end.addEventListener('abort', finish)
        this.wake = finish
      })
    this.wake = undefined
    this.hasChanged = false
  }

  private open(folder: string): void {
    const inode = readInode(folder)
    if (inode === undefined) return
    try {
      const watcher = fs.watch(folder, (event, name) => this.change(folder, event, name))
      watcher.on('error', () => {
        watcher.close()
        this.watchers.delete(folder)
      })
      this.watchers.set(folder, { watcher, inode })
    } catch {
      // The look once a minute remains.
    }
  }

  private change(folder: string, event: 'rename' | 'change', name: string | null): void {
    if (name?.startsWith('.')) return // A temporary file.
    if (name !== null) this.note(folder, event, name)
    this.hasChanged = true
    this.wake?.()
  }
}

/** Undefined for anything but a folder itself. */
function readInode(folder: string): number | undefined {
  const stats = fs.lstatSync(folder, { throwIfNoEntry: false })
  return stats?.isDirectory() ? stats.ino : undefined
}
