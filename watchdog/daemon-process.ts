import path from 'node:path'
import { agentVariableNames, type Config, pickVariables, settingsSchema } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { startDetached } from '#host/exec.ts'
import { makePrivateFolder } from '#host/fs'
import { buildInstalledCommand, readCode, readRunningDaemon, writeDaemonRecord } from '#host/installed-code'
import { acquireLease, isLeaseFree, type Lease, readLeaseHolder, releaseLease } from '#host/lease'
import { checkLiveness, endProcess, identify } from '#host/process'
import { isStartedByService, startService } from '#host/user-service'
import { getLeaseFolder, isDaemonLost, refuseOtherHost } from './daemon-lease.ts'

/**
 * Become the daemon of this home, and record its code. Exit 5 where another one lives. The one that a service keeps takes over from
 * one that was started in the background.
 */
export async function acquireDaemonLease(home: string): Promise<Lease> {
  const code = readCode()
  const isService = isStartedByService()
  const self = await identify(process.pid)
  if (isService && readRunningDaemon(home)?.isService !== true) await stopDaemon(home)
  const lease = self && (await acquireLease(getLeaseFolder(home), self))
  if (lease) {
    writeDaemonRecord(home, { process: self, code, startedAt: new Date().toISOString(), isService })
    return lease
  }
  await refuseOtherHost(home)
  throw new DispatchError(`a daemon already runs: process ${readLeaseHolder(getLeaseFolder(home))?.pid ?? 'unknown'}`, {
    exitCode: exitCodes.conflict,
    remedy: 'To see what it does: dispatch logs daemon',
  })
}

/**
 * Start the daemon unless one lives: by the service that keeps it, where one is installed. It outlives this process and its
 * terminal, and no tmux server can take it down.
 */
export async function startDaemon(config: Config): Promise<void> {
  if (!(await isLeaseFree(getLeaseFolder(config.home)))) return
  if (await startService(config.home)) return
  startInBackground(config, 'daemon')
}

/**
 * Start `dispatch <command>` so that it outlives this process, with the code that is installed now: a session that goes on with
 * older code starts no older daemon. What goes wrong with it is in `logs/<command>.log`.
 */
export function startInBackground({ home, logsFolder }: Config, command: 'daemon' | 'web'): void {
  makePrivateFolder(logsFolder)
  const [program, file] = buildInstalledCommand()
  void startDetached(program, [...nodeOptions[command], file, command], {
    env: { ...pickVariables(inheritedVariables), DISPATCH_HOME: home },
    log: path.join(logsFolder, `${command}.log`),
    isOutputLogged: false, // Both write their log themselves.
  })
}

/** End the daemon, and wait until it has ended. One that had to be killed, or had died before, is not missed by a runner either. */
export async function stopDaemon(home: string): Promise<void> {
  const folder = getLeaseFolder(home)
  const holder = readLeaseHolder(folder)
  if (holder !== undefined && (await checkLiveness(holder)) === 'alive') await endProcess(holder)
  const self = (await isDaemonLost(home)) ? await identify(process.pid) : undefined
  const lease = self && (await acquireLease(folder, self))
  if (lease) releaseLease(folder, lease)
}

// --- internal ---

/**
 * The page makes a list of megabytes again and again, and Node lets a process with much memory keep many of them before it removes
 * them. With 4 MB for each half of its young objects, the most that it used at ten thousand sessions was 157 MB instead of 199.
 */
const nodeOptions = { daemon: [], web: ['--max-semi-space-size=4'] }

/**
 * What a person sets for one session, in front of its command. A daemon that this command happens to start would keep it for every
 * session of the queue, whatever `.env` says.
 */
const settingsOfOneSession = ['ORCHESTRATOR_MODEL', 'CODE_MODEL', 'RW_MODEL', 'ROUNDS', 'SANDBOX', 'BUDGET_USD']

/** By which git reaches a remote and signs, as it would from this shell: the daemon has work land. */
const gitVariables = [
  'SSH_AUTH_SOCK',
  'SSH_AGENT_PID',
  'GIT_SSH',
  'GIT_SSH_COMMAND',
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_SYSTEM',
  'GIT_CONFIG_NOSYSTEM',
  'GNUPGHOME',
  'GPG_TTY',
  'KRB5CCNAME',
  'XDG_CONFIG_HOME',
]

/** The daemon starts sessions of the queue, as a person would from this shell, and deliverers, which need a desktop. */
const inheritedVariables = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'NODE_COMPILE_CACHE',
  'TMPDIR',
  'TZ',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'DBUS_SESSION_BUS_ADDRESS',
  'XDG_RUNTIME_DIR',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  ...gitVariables,
  ...agentVariableNames,
  ...Object.keys(settingsSchema.shape).filter(name => !settingsOfOneSession.includes(name)),
]
