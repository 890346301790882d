import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makePrivateFolder, writeAtomic } from '../fs/files.ts'
import { composeLaunchAgent } from './launch-agent.ts'
import {
  explainRun,
  requireServiceCommand,
  runServiceCommand,
  type ServicePlace,
  type ServiceState,
  type UserService,
} from './user-service.ts'

/** LaunchAgents of a user on macOS. They run while the user is logged in at the screen, and there is no way to outlive that. */
export function createLaunchdService(place: ServicePlace): UserService {
  const label = place.name
  const domain = `gui/${place.uid}`
  const target = `${domain}/${label}`
  const file = path.join(place.userHome, 'Library/LaunchAgents', `${label}.plist`)
  const ask = (...args: string[]) => runServiceCommand(place, ['launchctl', ...args])
  const isLoaded = async () => (await ask('print', target)).exitCode === 0
  /** An agent is gone only a while after `bootout`, and until then none of its label can be loaded. */
  const unload = async () => {
    if (await isLoaded()) await runServiceCommand(place, ['launchctl', 'bootout', target], UNLOAD_TIMEOUT_MS)
    for (const endMs = Date.now() + UNLOAD_TIMEOUT_MS; Date.now() < endMs && (await isLoaded()); ) await sleep(POLL_MS)
  }
  const load = async () => {
    await ask('enable', target) // It may have been disabled, in which case it cannot be loaded.
    await requireServiceCommand(place, ['launchctl', 'bootstrap', domain, file])
  }
  return {
    kind: 'launchd',
    file,
    compose: plan => composeLaunchAgent(label, plan),
    survivesLogout: async () => false,
    surviveLogout: async () => 'a LaunchAgent ends when you log out, and begins again when you log in',
    async explainUnavailable() {
      const asked = await ask('print', domain)
      if (asked.exitCode === 0) return undefined
      return `you are not logged in at this Mac's screen: launchctl print ${domain}: ${explainRun(asked)}`
    },
    async install(text) {
      makePrivateFolder(path.dirname(file))
      await unload()
      writeAtomic(file, text)
      await load()
    },
    async readState() {
      const asked = await ask('print', target)
      return parseAgentState(asked.exitCode === 0 ? asked.stdout : '', fs.existsSync(file))
    },
    async start() {
      if (await isLoaded()) await requireServiceCommand(place, ['launchctl', 'kickstart', target], START_TIMEOUT_MS)
      else await load()
    },
    stop: unload, // A job that is kept alive cannot be stopped, only unloaded; it is loaded again at the next login.
    async restart() {
      if (await isLoaded()) await requireServiceCommand(place, ['launchctl', 'kickstart', '-k', target])
      else await load()
    },
    async remove() {
      await unload()
      fs.rmSync(file, { force: true })
    },
  }
}

/** What `launchctl print` says about a job: lines `name = value`, its own first. Pure. */
export function parseAgentState(text: string, isInstalled: boolean): ServiceState {
  const read = (name: string) => new RegExp(`^\\t${name} = (.*)$`, 'm').exec(text)?.[1]
  const pid = Number(read('pid') ?? 0)
  return {
    isInstalled,
    isEnabled: isInstalled,
    pid: pid > 0 ? pid : undefined,
    restarts: Math.max(0, Number(read('runs') ?? 0) - 1),
  }
}

// --- internal ---

/** A session or a command waits for it. */
const START_TIMEOUT_MS = 10_000
const UNLOAD_TIMEOUT_MS = 120_000
const POLL_MS = 100
