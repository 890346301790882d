import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pickVariables, SERVICE_VARIABLE } from '../config/environment.ts'
import { DispatchError } from '../error.ts'
import { sha256 } from '../hash.ts'
import { createLaunchdService } from './launchd.ts'
import { createSystemdService } from './systemd.ts'
import type { UserService } from './user-service.ts'

/** The service of one home, under systemd or on macOS under launchd. The usual home has the plain name. */
export function openUserService(home: string, platform: NodeJS.Platform = process.platform): UserService {
  const variables = pickVariables(['HOME', 'XDG_CONFIG_HOME'])
  const userHome = variables['HOME'] ?? os.homedir()
  const isUsual = home === path.join(userHome, '.claude-dispatch')
  const place = {
    name: isUsual ? 'claude-dispatch' : `claude-dispatch-${sha256(home).slice(0, 8)}`,
    userHome,
    configFolder: variables['XDG_CONFIG_HOME'] ?? path.join(userHome, '.config'),
    uid: process.getuid?.() ?? 0,
    userName: readUserName(),
  }
  return platform === 'darwin' ? createLaunchdService(place) : createSystemdService(place)
}

/** Is a service defined for this home? It reads no file and starts no process. */
export function isServiceInstalled(home: string): boolean {
  return fs.existsSync(openUserService(home).file)
}

/** Was this process started by a service? */
export function isStartedByService(): boolean {
  return pickVariables([SERVICE_VARIABLE])[SERVICE_VARIABLE] === '1'
}

/** Start the service of a home. False where none is installed, or where the system does not start it. */
export function startService(home: string): Promise<boolean> {
  return tryWithService(home, service => service.start())
}

/** Stop the service of a home until the next start or login. False where none is installed, or where the system does not stop it. */
export function stopService(home: string): Promise<boolean> {
  return tryWithService(home, service => service.stop())
}

// --- internal ---

/** A user of a container may have no name. */
function readUserName(): string {
  try {
    return os.userInfo().username
  } catch {
    return pickVariables(['USER'])['USER'] ?? String(process.getuid?.() ?? 0)
  }
}

async function tryWithService(home: string, act: (service: UserService) => Promise<void>): Promise<boolean> {
  const service = openUserService(home)
  if (!fs.existsSync(service.file)) return false
  try {
    await act(service)
    return true
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return false
  }
}
