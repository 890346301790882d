import fs from 'node:fs'
import path from 'node:path'
import { runProgram } from './exec.ts'
import { SECOND_MS } from './time.ts'

/**
 * The memory in bytes that programs can still get: what is free, and what the system only keeps files in and gives back when it is
 * asked for. Infinite where the system does not say.
 */
export async function measureAvailableMemory(): Promise<number> {
  if (process.platform === 'darwin') {
    const { exitCode, stdout } = await runProgram('/usr/bin/vm_stat', [], { timeoutMs: VM_STAT_TIMEOUT_MS })
    return (exitCode === 0 ? parseVmStat(stdout) : undefined) ?? Number.POSITIVE_INFINITY
  }
  const ofMachine = parseMeminfo(read('/proc/meminfo')) ?? Number.POSITIVE_INFINITY
  return Math.min(ofMachine, ...listGroupFolders(read('/proc/self/cgroup')).map(measureGroup))
}

/**
 * The memory that `vm_stat` of macOS calls free, speculative, inactive or purgeable. "Pages free" alone is little on every Mac,
 * by design. Pure.
 */
export function parseVmStat(text: string): number | undefined {
  const pageBytes = /page size of (\d+) bytes/.exec(text)?.[1]
  const count = (name: string) => Number(new RegExp(`^Pages ${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  if (pageBytes === undefined || !/^Pages free:/m.test(text)) return undefined
  return Number(pageBytes) * (count('free') + count('speculative') + count('inactive') + count('purgeable'))
}

/** `MemAvailable` of /proc/meminfo; undefined without it. Pure. */
export function parseMeminfo(text: string): number | undefined {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}

/**
 * The folders of the control groups that may limit the memory of this process, its own and all above it, from /proc/self/cgroup.
 * In a container the path may be that of the machine, so the top is always among them. Pure.
 */
export function listGroupFolders(text: string): string[] {
  return text.split('\n').flatMap(line => {
    const [, controllers, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (group === undefined || (controllers !== '' && !controllers?.split(',').includes('memory'))) return []
    const top = controllers === '' ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory'
    const names = group.split('/').filter(Boolean)
    return Array.from({ length: names.length + 1 }, (_, count) => path.join(top, ...names.slice(0, count)))
  })
}

/** What a control group still allows; infinite where it has no limit. What only keeps files in memory is given back. Pure. */
export function computeGroupRoom({ limit, usage, stat }: { limit: string; usage: string; stat: string }): number {
  const limitBytes = Number(limit.trim() || Number.NaN)
  const usedBytes = Number(usage.trim() || Number.NaN)
  if (Number.isNaN(limitBytes) || Number.isNaN(usedBytes)) return Number.POSITIVE_INFINITY // `max`, or no such file.
  // Version 1 has both, and the total is that of the groups below too, as the usage is.
  const [, fileBytes = 0] = /^total_inactive_file (\d+)$/m.exec(stat) ?? /^inactive_file (\d+)$/m.exec(stat) ?? []
  return Math.max(0, limitBytes - usedBytes + Number(fileBytes))
}

// --- internal ---

const VM_STAT_TIMEOUT_MS = 5 * SECOND_MS

/** The second names are those of version 1. */
function measureGroup(folder: string): number {
  return computeGroupRoom({
    limit: read(path.join(folder, 'memory.max')) || read(path.join(folder, 'memory.limit_in_bytes')),
    usage: read(path.join(folder, 'memory.current')) || read(path.join(folder, 'memory.usage_in_bytes')),
    stat: read(path.join(folder, 'memory.stat')),
  })
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
