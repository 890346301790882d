import fs from 'node:fs'
import os from 'node:os'
import { z } from 'zod'
import { DispatchError, exitCodes } from '../error.ts'
import { runProgram } from '../exec.ts'
import { readIfPresent } from '../fs/files.ts'
import { sha256 } from '../hash.ts'

/** Where a pid means something: a machine and, on Linux, one of its pid namespaces. A home may be shared by several. */
export const Place = z.object({
  /** The name of the host, for people. */
  hostName: z.string(),
  /** An id of the machine that survives a reboot. It is a hash, because the id of a machine is confidential. */
  machine: z.string(),
  /** Containers of one machine have different ones; empty on macOS. */
  pidNamespace: z.string(),
})

export type Place = z.infer<typeof Place>

interface Start {
  bootId: string
  place?: Place | undefined
}

/** The place of this process. */
export function readPlace(): Promise<Place> {
  place ??= process.platform === 'linux' ? Promise.resolve(readLinuxPlace()) : readDarwinPlace()
  place.catch(() => {
    place = undefined // It is asked again the next time.
  })
  return place
}

/** Tells the places of this machine and others apart in the name of a file; empty on macOS, which has one place. */
export function readPlaceTag(): string {
  if (process.platform !== 'linux') return ''
  return `-${sha256(`${readMachineId()} ${readPidNamespace()}`).slice(0, 8)}`
}

/**
 * Where a process was started, as seen from `here`. A boot has one id wherever it is read, so an equal one means the same
 * machine whatever it is called now. Elsewhere nothing can be known about a pid. Older records have no place. Pure.
 */
export function locate(start: Start, here: Start): 'here' | 'an earlier boot' | 'elsewhere' {
  const [its, own] = [start.place, here.place]
  if (start.bootId === here.bootId)
    return its === undefined || its.pidNamespace === own?.pidNamespace ? 'here' : 'elsewhere'
  return its === undefined || its.machine === own?.machine ? 'an earlier boot' : 'elsewhere'
}

/** A place in words, for a person who is at `here`. Pure. */
export function describePlace(its: Place, here: Place): string {
  return its.machine === here.machine ? `another container of ${its.hostName}` : its.hostName
}

/** An id that a program has told. Without one, every process would look as if it belonged here, so this throws. Pure. */
export function requireAnswer(id: string, program: string): string {
  if (id !== '') return id
  throw new DispatchError(`${program} does not tell which machine this is, or since when it runs`, {
    exitCode: exitCodes.dependency,
    remedy: `Run it to see why: ${program}`,
  })
}

/** The id of the hardware in `ioreg -rd1 -c IOPlatformExpertDevice`; empty if it is not there. Pure. */
export function parsePlatformUuid(text: string): string {
  return /"IOPlatformUUID" = "([0-9A-F-]{36})"/.exec(text)?.[1] ?? ''
}

// --- internal ---

let place: Promise<Place> | undefined

/** It is not on every PATH, and another program of that name must not answer. */
const IOREG = '/usr/sbin/ioreg'

/** Containers of one image may have the same machine id, or none, so the name of the host counts too. */
function readLinuxPlace(): Place {
  const hostName = os.hostname()
  return { hostName, machine: hashMachine(`${readMachineId()} ${hostName}`), pidNamespace: readPidNamespace() }
}

function readMachineId(): string {
  return (readIfPresent('/etc/machine-id') ?? readIfPresent('/var/lib/dbus/machine-id') ?? '').trim()
}

/** The name of a Mac changes with its network, the id of its hardware does not. */
async function readDarwinPlace(): Promise<Place> {
  const hostName = os.hostname()
  const { stdout } = await runProgram(IOREG, ['-rd1', '-c', 'IOPlatformExpertDevice'])
  return { hostName, machine: hashMachine(requireAnswer(parsePlatformUuid(stdout), IOREG)), pidNamespace: '' }
}

function hashMachine(id: string): string {
  return sha256(`claude-dispatch ${id}`).slice(0, 16)
}

function readPidNamespace(): string {
  try {
    return fs.readlinkSync('/proc/self/ns/pid')
  } catch {
    return '' // Some sandboxes do not tell.
  }
}
