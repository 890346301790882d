import fs from 'node:fs'
import { type Config, readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readRunningDaemon } from '#host/installed-code'
import { isServiceInstalled, openUserService, type UserService } from '#host/user-service'
import { listProjects } from '#projects'
import { listOpenSessions } from '#session/search-index'
import { startDaemon } from '#watchdog'
import { stopRunningServer } from '#webui'
import { confirmAction } from '../input/confirm.ts'
import { formatRelativeTime, formatTable, print } from '../output/terminal.ts'
import { withQueue } from '../queue/open.ts'
import { requireServices } from './install.ts'
import { waitForOwnDaemon } from './wait.ts'

/** Print whether a service keeps the daemon. Returns 6 for one that is installed and does not run. */
export async function printServiceStatus(config: Config, { json = false }: { json?: boolean }): Promise<number> {
  const service = openUserService(config.home)
  const isInstalled = fs.existsSync(service.file)
  const state = isInstalled ? await service.readState() : undefined
  const daemon = readRunningDaemon(config.home)
  const isOwn = state?.pid !== undefined && daemon?.process.pid === state.pid
  const summary = {
    isInstalled,
    kind: service.kind,
    file: service.file,
    isRunning: isOwn,
    isEnabled: state?.isEnabled ?? false,
    pid: state?.pid ?? null,
    version: isOwn ? daemon.code.version : null,
    since: isOwn ? daemon.startedAt : null,
    restarts: state?.restarts ?? 0,
    survivesLogout: isInstalled && (await service.survivesLogout()),
  }
  if (json) print(JSON.stringify(summary))
  else printSummary(summary, daemon?.process.pid)
  return isInstalled && !isOwn ? exitCodes.dependency : exitCodes.ok
}

/** Start the daemon of the service again, which opens the page again with the settings of now. Sessions, workers and the terminal go on. Returns its pid. */
export async function restartService(config: Config): Promise<number> {
  const service = requireInstalled(config)
  await requireServices(service, config)
  await stopRunningServer(config.home)
  await service.restart()
  const health = await waitForOwnDaemon(service, readConfig({ DISPATCH_HOME: config.home }))
  if ('pid' in health) return health.pid
  throw new DispatchError(`the service does not work: ${health.problem}`, {
    exitCode: exitCodes.dependency,
    remedy: 'To see why: dispatch service logs',
  })
}

/** End the service and remove it. Where something goes on by itself, a daemon in the background takes its place. */
export async function uninstallService(config: Config): Promise<void> {
  const service = requireInstalled(config)
  await service.remove()
  print(`removed ${service.file}`)
  const work = await describeWork(config)
  if (work !== undefined) {
    await startDaemon(config)
    print(`${work}, so a daemon in the background goes on in its place. To end it: dispatch stop --all`)
  }
  if (await service.survivesLogout())
    print('Lingering stays on for your user. To switch it off: loginctl disable-linger')
}

/** Have the service removed with everything else that `dispatch uninstall` undoes, after asking. */
export async function offerRemoval(config: Config, isConfirmed: boolean): Promise<void> {
  if (!isServiceInstalled(config.home)) return
  if (isConfirmed || (await confirmAction('Remove the service that keeps the daemon?', 'uninstall')))
    await uninstallService(config)
}

// --- internal ---

/** What needs a daemon; undefined if nothing does. */
async function describeWork(config: Config): Promise<string | undefined> {
  if ((await listOpenSessions(config)).length > 0) return 'Sessions are open'
  const items = await withQueue(config, queue => queue.list(['waiting', 'starting', 'running']))
  if (items.length > 0) return 'The queue has items'
  return listProjects(config.home).length > 0 ? 'Projects are registered' : undefined
}

function requireInstalled({ home }: Config): UserService {
  const service = openUserService(home)
  if (fs.existsSync(service.file)) return service
  throw new DispatchError('no service is installed for this home', {
    exitCode: exitCodes.notFound,
    remedy: 'To install one: dispatch service install. Without one: dispatch daemon --restart',
  })
}

interface Summary {
  isInstalled: boolean
  kind: string
  file: string
  isRunning: boolean
  isEnabled: boolean
  pid: number | null
  version: string | null
  since: string | null
  restarts: number
  survivesLogout: boolean
}

function printSummary(summary: Summary, daemonPid: number | undefined): void {
  const { isInstalled, kind, file, isRunning, isEnabled, pid, version, since, restarts, survivesLogout } = summary
  if (!isInstalled) {
    const background =
      daemonPid === undefined ? 'No daemon runs.' : `A daemon runs in the background: process ${daemonPid}.`
    return print(`No service is installed. ${background} To install one: dispatch service install`)
  }
  const state = isRunning ? `runs, process ${pid}` : pid === null ? 'does not run' : `process ${pid} is not the daemon`
  print(
    formatTable([
      ['service', state],
      ...(version && since
        ? [
            ['version', version],
            ['since', `${since} (${formatRelativeTime(since)})`],
          ]
        : []),
      ...(restarts > 0 ? [['restarts', String(restarts)]] : []),
      ['at login', isEnabled ? 'it starts' : 'it does not start'],
      ['at logout', survivesLogout ? 'it goes on' : 'it ends'],
      [kind, file],
    ]),
  )
  if (!isRunning) print('To see why: dispatch service logs. To start it: dispatch service restart')
}
