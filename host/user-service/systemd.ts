import fs from 'node:fs'
import path from 'node:path'
import { makePrivateFolder, writeAtomic } from '../fs/files.ts'
import { composeUnit } from './unit.ts'
import {
  explainRun,
  requireServiceCommand,
  runServiceCommand,
  type ServicePlace,
  type ServiceState,
  type UserService,
} from './user-service.ts'

/** Services of a user under systemd. */
export function createSystemdService(place: ServicePlace): UserService {
  const unit = `${place.name}.service`
  const file = path.join(place.configFolder, 'systemd/user', unit)
  const systemctl = (...args: string[]) => requireServiceCommand(place, ['systemctl', '--user', ...args])
  const survivesLogout = async () => {
    const asked = await runServiceCommand(place, ['loginctl', 'show-user', place.userName, '--property=Linger'])
    return asked.exitCode === 0 && asked.stdout.trim() === 'Linger=yes'
  }
  return {
    kind: 'systemd',
    file,
    survivesLogout,
    compose: composeUnit,
    async explainUnavailable() {
      const asked = await runServiceCommand(place, ['systemctl', '--user', 'show', '--property=Version'])
      if (asked.exitCode === 0 && asked.stdout.startsWith('Version=')) return undefined
      return `there is no systemd for this user: systemctl --user: ${explainRun(asked)}`
    },
    async install(text) {
      makePrivateFolder(path.dirname(file))
      writeAtomic(file, text)
      await systemctl('daemon-reload')
      await systemctl('enable', unit)
      await systemctl('restart', unit)
    },
    async readState() {
      const names = 'LoadState,UnitFileState,ActiveState,MainPID,NRestarts'
      const asked = await runServiceCommand(place, ['systemctl', '--user', 'show', unit, `--property=${names}`])
      return parseUnitState(asked.exitCode === 0 ? asked.stdout : '', fs.existsSync(file))
    },
    async start() {
      await requireServiceCommand(place, ['systemctl', '--user', 'start', '--no-block', unit], START_TIMEOUT_MS)
    },
    async stop() {
      await systemctl('stop', unit)
    },
    async restart() {
      await systemctl('restart', unit)
    },
    async remove() {
      for (const args of [
        ['stop', unit],
        ['disable', unit],
      ])
        await runServiceCommand(place, ['systemctl', '--user', ...args], STOP_TIMEOUT_MS)
      fs.rmSync(file, { force: true })
      for (const args of [['daemon-reload'], ['reset-failed', unit]])
        await runServiceCommand(place, ['systemctl', '--user', ...args])
    },
    async surviveLogout() {
      if (await survivesLogout()) return undefined
      const asked = await runServiceCommand(place, ['loginctl', 'enable-linger', place.userName])
      return asked.exitCode === 0 ? undefined : explainRun(asked)
    },
  }
}

/** What `systemctl show` says, in lines `Name=value`. Pure. */
export function parseUnitState(text: string, isInstalled: boolean): ServiceState {
  const values = new Map(text.split('\n').map(line => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]))
  const pid = Number(values.get('MainPID') ?? 0)
  const isActive = ['active', 'reloading'].includes(values.get('ActiveState') ?? '')
  return {
    isInstalled,
    isEnabled: values.get('UnitFileState') === 'enabled',
    pid: isActive && pid > 0 ? pid : undefined,
    restarts: Number(values.get('NRestarts') || 0),
  }
}

// --- internal ---

/** A session or a command waits for it. */
const START_TIMEOUT_MS = 10_000
const STOP_TIMEOUT_MS = 120_000
