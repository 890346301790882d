import fs from 'node:fs'
import { type Config, prepareHome, readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { makePrivateFolder, readIfPresent } from '#host/fs'
import { readRunningDaemon } from '#host/installed-code'
import { readLogTail } from '#host/log-file.ts'
import { quoteForShell } from '#host/shell-quote.ts'
import { sanitize } from '#host/text.ts'
import {
  explainPrivateFolders,
  isServiceInstalled,
  openUserService,
  planEnvironment,
  type ServiceEnvironment,
  type UserService,
} from '#host/user-service'
import { listProjects } from '#projects'
import { findDaemon, startDaemon, stopDaemon } from '#watchdog'
import { paint, print } from '../output/terminal.ts'
import { waitForOwnDaemon } from './wait.ts'

/**
 * Have the system keep the daemon, or bring its service up to date. Where that fails, everything is as before, and exit 6 says why.
 */
export async function installService(config: Config): Promise<void> {
  const service = openUserService(config.home)
  await requireServices(service, config)
  prepareHome(config)
  makePrivateFolder(config.logsFolder)
  const environment = await planEnvironment(config.home)
  const earlier = readIfPresent(service.file)
  const hadDaemon = await isInBackground(config)
  const { home, cloneFolder, logsFolder } = config
  const text = service.compose({ home, installFolder: cloneFolder, logsFolder, variables: environment.variables })
  const problem = await tryInstall(service, readConfig(environment.variables), text)
  if (problem !== undefined) {
    await takeBack(service, config, { earlier, hadDaemon })
    const now = earlier === undefined ? 'Nothing is installed.' : 'The service is as it was before.'
    throw new DispatchError(`the service does not work: ${problem}\n${quoteLog(config)}`, {
      exitCode: exitCodes.dependency,
      remedy: `${now} ${describeFallback(config)}`,
    })
  }
  print(`${earlier === undefined ? 'installed' : 'up to date'}: ${service.file}`)
  print('The daemon starts with your login, and again whenever it ends. A restart of it ends no session.')
  await printLogout(service)
  printWithheld(environment)
  printPrivateFolders(config)
}

/** Is no service installed, where this user could have one? */
export async function canInstallService({ home }: Config): Promise<boolean> {
  return !isServiceInstalled(home) && (await openUserService(home).explainUnavailable()) === undefined
}

/** Exit 6 where this user can have no services, with what to do instead. */
export async function requireServices(service: UserService, config: Config): Promise<void> {
  const reason = await service.explainUnavailable()
  if (reason === undefined) return
  throw new DispatchError(`no service can be installed here: ${reason}`, {
    exitCode: exitCodes.dependency,
    remedy: describeFallback(config),
  })
}

// --- internal ---

const LOG_LINES = 8

/** Does a daemon run that no service keeps? */
async function isInBackground({ home }: Config): Promise<boolean> {
  return (await findDaemon(home)) !== undefined && !readRunningDaemon(home)?.isService
}

/** Returns why the service does not work; undefined if it does. */
async function tryInstall(service: UserService, config: Config, text: string): Promise<string | undefined> {
  try {
    if (await isInBackground(config)) await stopDaemon(config.home)
    await service.install(text)
    const health = await waitForOwnDaemon(service, config)
    return 'problem' in health ? health.problem : undefined
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return error.message
  }
}

async function takeBack(
  service: UserService,
  config: Config,
  { earlier, hadDaemon }: { earlier: string | undefined; hadDaemon: boolean },
): Promise<void> {
  if (earlier === undefined) await service.remove()
  // If the earlier one does not start either, its file is there as it was.
  else await service.install(earlier).catch(() => fs.writeFileSync(service.file, earlier, { mode: 0o600 }))
  if (hadDaemon) await startDaemon(config)
}

function quoteLog({ logsFolder }: Config): string {
  const lines = readLogTail(logsFolder, 'daemon', LOG_LINES) ?? ['(nothing)']
  return [`The log of the daemon ends with:`, ...lines.map(line => `  ${sanitize(line)}`)].join('\n')
}

function describeFallback({ cloneFolder, home }: Config): string {
  const command = `DISPATCH_HOME=${quoteForShell(home)} ${quoteForShell(`${cloneFolder}/bin/dispatch`)} daemon --restart`
  return `Everything works without a service from the first \`dispatch\` on. To start the daemon after a reboot, add this line to your crontab (crontab -e), with the PATH of your shell above it:
  @reboot ${command}
or run the command in your shell profile.`
}

async function printLogout(service: UserService): Promise<void> {
  const problem = await service.surviveLogout()
  if (problem === undefined) return print('It goes on when you log out (lingering is on for your user).')
  if (service.kind === 'launchd') return print(`When you log out: ${problem}.`)
  print(paint('yellow', `It ends when you log out: lingering could not be switched on (${sanitize(problem)}).`))
  print('An administrator switches it on: sudo loginctl enable-linger "$USER"')
}

function printPrivateFolders({ home }: Config): void {
  const problem = explainPrivateFolders([home, ...listProjects(home).map(project => project.path)])
  if (problem !== undefined) print(paint('yellow', sanitize(problem)))
}

function printWithheld({ withheld }: ServiceEnvironment): void {
  if (withheld.length === 0) return
  print(paint('yellow', 'This shell sets variables that the service will not have:'))
  for (const place of new Set(withheld.map(each => each.place))) {
    const names = withheld.flatMap(each => (each.place === place ? [each.name] : []))
    print(`  ${names.join(', ')}: put ${names.length === 1 ? 'it' : 'them'} into ${place}`)
  }
}
