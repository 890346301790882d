import fs from 'node:fs'
import path from 'node:path'
import { setImmediate as giveWay } from 'node:timers/promises'
import { type Config, prepareHome } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { deleteFolder, listNames, makePrivateFolder } from '#host/fs'
import { listLandingQueues } from '#landing'
import { listProjects, type RegisteredProject } from '#projects'
import { endPause, type Pause, readPause, writePause } from '#queue'
import { isSessionId } from '#session'
import { listOpenSessions } from '#session/search-index'
import { withQueue } from '../queue/open.ts'
import type { BackupPaths, Listing } from './format.ts'
import { DAMAGED_QUEUE } from './home-contents.ts'
import { readAlone } from './lease.ts'
import { ObjectStore, syncFileSystem } from './object-store.ts'
import { findRecord } from './records.ts'
import { relocateSession } from './relocate.ts'
import { addQueue, hasQueue, QUEUE_FILE } from './restore-queue.ts'
import { requireBytes } from './space.ts'
import { openTarget, readHomeId } from './target.ts'
import { type CheckedBackup, requireWhole, verifyBackup } from './verify.ts'
import { addUnit, type SharedFiles, writeUnit } from './write-unit.ts'

export interface RestoreOptions {
  /** Add to a home that has sessions. What is there stays as it is. */
  mayMerge: boolean
  /** A part of the name of a backup; the newest without it. */
  at?: string
  onProgress?: (what: string, done: number, all: number) => void
}

export interface RestoreReport {
  /** The name of the backup, the home that it was made of, and this one. */
  name: string
  from: string
  home: string
  /** The ids of the sessions that were written, and of those that were there. */
  restored: string[]
  kept: string[]
  /** Other files that were there, by their paths in the home. */
  keptFiles: string[]
  /** The ids that items of the backup got in the queue that was there. */
  addedItems: string[]
  /** The home is paused: sessions or items would go on otherwise. */
  isPaused: boolean
}

/**
 * Write a backup into a home. Everything is verified before anything is written. The home is paused meanwhile, and stays so if
 * something in it would go on by itself. Exit 5 for a home with sessions, 10 where there is too little space, 13 for a damaged backup.
 */
export async function restore(config: Config, folder: string, options: RestoreOptions): Promise<RestoreReport> {
  const paths = openTarget(folder)
  return readAlone(paths, () => restoreFrom(paths, config, options))
}

// --- internal ---

const STAGING_PREFIX = '.restoring-'
const PAUSE_FILE = 'paused.json'

const REASON = 'after `dispatch restore`'

async function restoreFrom(paths: BackupPaths, config: Config, options: RestoreOptions): Promise<RestoreReport> {
  const { name, record } = findRecord(paths, options.at)
  if (!options.mayMerge) await refuseUsedHome(config)
  const origin = { homeId: record.homeId, isOwn: readHomeId(config.home) === record.homeId }
  const backup = await verifyBackup(paths, record, (done, all) => options.onProgress?.('verifying', done, all))
  requireWhole(backup)
  prepareHome(config)
  requireBytes(measureNeed(backup), config.home)
  const store = new ObjectStore(paths.objects)
  const pause = pauseMeanwhile(config.home, backup, store)
  const report: RestoreReport = {
    name,
    from: record.home,
    home: config.home,
    restored: [],
    kept: [],
    keptFiles: [],
    addedItems: [],
    isPaused: true,
  }
  const target: Target = { config, store, from: record.home, report }
  const actors = new Set(listActors(config.home))
  await writeUnits(backup, target, options)
  const goesOn = await settleRestored(target, origin)
  const waits = goesOn || listActors(config.home).some(actor => !actors.has(actor))
  if (!waits && pause !== undefined) writePause(config.home, pause)
  else if (!waits) endPause(config.home, new Date())
  report.isPaused = readPause(config.home, new Date()) !== undefined
  return report
}

/**
 * Pause the home until a person ends it: a pause that ends by itself would start what was restored. Returns the pause that was there,
 * or else that of the backup, if it still counts. Its reason stays.
 */
function pauseMeanwhile(home: string, { units }: CheckedBackup, store: ObjectStore): Pause | undefined {
  let pause = readPause(home, new Date())
  if (pause === undefined) {
    endPause(home, new Date()) // One that has expired has left its file.
    for (const { entries } of units.filter(({ name }) => name === PAUSE_FILE))
      addUnit(entries, path.join(home, PAUSE_FILE), store, new Map())
    pause = readPause(home, new Date())
  }
  const reason = pause === undefined || pause.reason === REASON ? REASON : `${REASON}; before: ${pause.reason}`
  writePause(home, { since: pause?.since ?? new Date().toISOString(), until: null, reason })
  return pause
}

/** What begins by itself beside sessions and items: landings that have not ended, and what projects do. */
function listActors(home: string): string[] {
  const landings = listLandingQueues(home).flatMap(queue =>
    queue.listOpen().map(({ session }) => `${queue.folder}/${session}`),
  )
  const projects = readProjects(home).filter(each => each.landing ?? each.issues ?? each.pullRequests)
  return [...landings, ...projects.map(({ path: folder }) => folder)]
}

/** A damaged file of a project keeps nothing from being restored. It is told where projects are shown. */
function readProjects(home: string): RegisteredProject[] {
  try {
    return listProjects(home)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return []
  }
}

/** What a person made since would be mixed with what was. The daemon makes a queue without items. */
async function refuseUsedHome(config: Config): Promise<void> {
  const { home, workspace } = config
  const sessions = listNames(workspace).filter(isSessionId).length
  const hasItems = hasQueue(home) && (await withQueue(config, queue => queue.list())).length > 0
  if (sessions === 0 && !hasItems) return
  throw new DispatchError(`${home} is in use: it has ${sessions > 0 ? `${sessions} sessions` : 'a queue'}`, {
    exitCode: exitCodes.conflict,
    remedy: 'To add what it lacks: --merge. To restore elsewhere: --into HOME.',
  })
}

/** Contents that are shared by hard links count once. */
function measureNeed({ units }: CheckedBackup): number {
  const shared = new Set<string>()
  let bytes = 0
  for (const entry of units.flatMap(({ entries }) => entries)) {
    if (entry.kind !== 'file' || shared.has(entry.sha256)) continue
    if (entry.isShared) shared.add(entry.sha256)
    bytes += entry.size
  }
  return bytes
}

interface Target {
  config: Config
  store: ObjectStore
  from: string
  report: RestoreReport
  /** The queue of the backup, which is added to the one that is there once its sessions are. */
  laterQueue?: Listing
  isQueueNew?: boolean
}

/**
 * A session appears under its name when it is whole and on the disk, so a restore that is cut off leaves no half session. A copy of
 * a home at another path is another home, so it does not get the id.
 */
async function writeUnits(backup: CheckedBackup, target: Target, { onProgress }: RestoreOptions): Promise<void> {
  const { config, store, from, report } = target
  const shared: SharedFiles = new Map()
  makePrivateFolder(config.workspace)
  for (const name of listNames(config.workspace).filter(each => each.startsWith(STAGING_PREFIX)))
    deleteFolder(path.join(config.workspace, name))
  const staged: { id: string; staging: string; final: string }[] = []
  for (const [at, { name, entries }] of backup.units.entries()) {
    const final = path.join(config.home, name)
    const id = name.startsWith('workspace/') ? path.basename(name) : undefined
    const isLeft = name === PAUSE_FILE || (name === 'home-id' && from !== config.home)
    if (name === QUEUE_FILE && hasQueue(config.home)) target.laterQueue = entries
    else if (id === undefined && !isLeft) {
      if (name === QUEUE_FILE) {
        moveStaleLog(final)
        target.isQueueNew = true
      }
      const isMoved = name === 'landing' || name === 'outbox' // Their files go from folder to folder.
      const kept = addUnit(entries, final, store, shared, { isMoved })
      if (name !== 'repositories' && name !== 'home-id')
        report.keptFiles.push(...kept.map(file => path.join(name, file)))
    } else if (id !== undefined && fs.existsSync(final)) report.kept.push(id)
    else if (id !== undefined) {
      const staging = path.join(config.workspace, `${STAGING_PREFIX}${id}`)
      writeUnit(entries, staging, store, shared)
      if (from !== config.home) relocateSession(staging, entries, path.join(from, name), final)
      staged.push({ id, staging, final })
    }
    onProgress?.('restoring', at + 1, backup.units.length)
    await giveWay()
  }
  await syncFileSystem(config.home)
  for (const { id, staging, final } of staged) {
    fs.renameSync(staging, final)
    report.restored.push(id)
  }
  await syncFileSystem(config.home)
}

/** What a lost queue has left would be taken for changes of the one that is restored. */
function moveStaleLog(queueFile: string): void {
  if (fs.existsSync(queueFile)) return
  const log = `${queueFile}-wal`
  if (fs.existsSync(log)) fs.renameSync(log, path.join(path.dirname(queueFile), DAMAGED_QUEUE['-wal']))
  for (const ending of ['-shm', '-journal']) fs.rmSync(`${queueFile}${ending}`, { force: true })
}

/**
 * Index the sessions, and free the items of a new queue whose start was cut off; what another queue lacked is added. Returns whether
 * something would go on by itself.
 */
async function settleRestored(
  { config, store, report, laterQueue, isQueueNew = false }: Target,
  origin: { homeId: string; isOwn: boolean },
): Promise<boolean> {
  const open = (await listOpenSessions(config, { isThorough: true })).filter(({ session }) =>
    report.restored.includes(session.id),
  )
  if (!hasQueue(config.home)) return open.length > 0
  if (laterQueue !== undefined) {
    const { isWhole, added } = await addQueue(config, { entries: laterQueue, store }, { ...origin, restored: open })
    report.addedItems.push(...added)
    if (!isWhole && added.length === 0) report.keptFiles.push(QUEUE_FILE)
  }
  const items = await withQueue(config, async queue => {
    if (isQueueNew) await queue.forgetHolders()
    return queue.list(['waiting', 'starting', 'running'])
  })
  return open.length > 0 || items.length > 0
}
