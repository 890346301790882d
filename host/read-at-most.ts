import fs from 'node:fs'

/** Read an open file from where it is to its end, `maxBytes` at most. It may be a device that never ends, or a pipe. */
export function readAtMost(fd: number, maxBytes: number): Buffer {
  const buffer = Buffer.alloc(maxBytes)
  let size = 0
  for (let count = -1; count !== 0; size += count) count = fs.readSync(fd, buffer, size, buffer.length - size, null)
  return buffer.subarray(0, size)
}
