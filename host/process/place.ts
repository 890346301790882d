import fs from 'node:fs'
import os from 'node:os'
import { z } from 'zod'
import { DispatchError, exitCodes } from '../error.ts'
import { runAndWait } from '../exec.ts'
import { readIfPresent } from '../fs/files.ts'
import { sha256 } from '../hash.ts'

/** Where a pid means something: a machine and, on Linux, one of its pid namespaces. A home may be shared by several. */
export const Place = z.object({
  /** The name of the host, for people. */
  hostName: z.string(),
  /** An id of the machine that survives a reboot; empty if it has none. It is a hash, because that id is confidential. */
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
export function readPlace(): Place {
  place ??= process.platform === 'linux' ? readLinuxPlace() : readDarwinPlace()
  return place
}

/** Tells the places of this machine and others apart in the name of a file. */
export function readPlaceTag(): string {
  tag ??= process.platform === 'linux' ? `${readMachineId()} ${readPidNamespace()}` : readPlatformUuid()
  return `-${sha256(tag).slice(0, TAG_DIGITS)}`
}

/**
 * What identifies a machine with Linux; undefined if nothing does across a reboot. Containers of one image may have the same
 * machine id, so in them the name of the host counts too. Outside of a container it does not: it may change. Pure.
 */
export function identifyLinuxMachine(
  machineId: string,
  { hostName, pidNamespace }: Pick<Place, 'hostName' | 'pidNamespace'>,
): string | undefined {
  if (machineId === '') return undefined
  return pidNamespace === INITIAL_PID_NAMESPACE ? machineId : `${machineId} ${hostName}`
}

/**
 * Where a process was started, as seen from `here`. A boot has one id wherever it is read, so an equal one means the same
 * machine whatever it is called now. Another boot of a machine without an id may be that of another one. Elsewhere nothing can be
 * known about a pid. Older records have no place. Pure.
 */
export function locate(start: Start, here: Start): 'here' | 'an earlier boot' | 'elsewhere' {
  const [its, own] = [start.place, here.place]
  if (start.bootId === here.bootId)
    return its === undefined || its.pidNamespace === own?.pidNamespace ? 'here' : 'elsewhere'
  return its === undefined || isSameMachine(its, own) ? 'an earlier boot' : 'elsewhere'
}

/** A place in words, for a person who is at `here`. Pure. */
export function describePlace(its: Place, here: Place): string {
  return isSameMachine(its, here) ? `another container of ${its.hostName}` : its.hostName
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

let place: Place | undefined

/** It is not on every PATH, and another program of that name must not answer. */
const IOREG = '/usr/sbin/ioreg'

let tag: string | undefined

const TAG_DIGITS = 8

/** That of the machine itself, which every kernel has under this number. */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]'

function isSameMachine(its: Place, own: Place | undefined): boolean {
  return its.machine !== '' && its.machine === own?.machine
}

function readLinuxPlace(): Place {
  const names = { hostName: os.hostname(), pidNamespace: readPidNamespace() }
  const id = identifyLinuxMachine(readMachineId(), names)
  return { ...names, machine: id === undefined ? '' : hashMachine(id) }
}

function readMachineId(): string {
  return (readIfPresent('/etc/machine-id') ?? readIfPresent('/var/lib/dbus/machine-id') ?? '').trim()
}

/** The name of a Mac changes with its network, the id of its hardware does not. */
function readDarwinPlace(): Place {
  return { hostName: os.hostname(), machine: hashMachine(readPlatformUuid()), pidNamespace: '' }
}

function readPlatformUuid(): string {
  platformUuid ??= requireAnswer(parsePlatformUuid(runAndWait(IOREG, ['-rd1', '-c', 'IOPlatformExpertDevice'])), IOREG)
  return platformUuid
}

let platformUuid: string | undefined

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
