import fs from 'node:fs'

/** This machine, in the words of `readBuildPlatform`. */
export const currentPlatform = `${process.platform === 'darwin' ? 'macOS' : 'Linux'} on ${process.arch}`

/** The system and processor that a program was built for; undefined for a script, and for a file that cannot be read. */
export function readBuildPlatform(program: string): string | undefined {
  return detectBuildPlatform(readFirstBytes(program))
}

/** The same by the first bytes of the program. Pure. */
export function detectBuildPlatform(firstBytes: Uint8Array): string | undefined {
  const bytes = Buffer.from(firstBytes)
  if (bytes.length < 20) return undefined
  if (bytes.readUInt32BE(0) === 0x7f454c46)
    return `Linux on ${processors[bytes.readUInt16LE(18)] ?? 'another processor'}`
  if (bytes.readUInt32LE(0) === 0xfeedfacf)
    return `macOS on ${processors[bytes.readUInt32LE(4)] ?? 'another processor'}`
  return bytes.readUInt16BE(0) === 0x4d5a ? 'Windows' : undefined
}

// --- internal ---

const HEADER_BYTES = 64

/** The numbers of processors in ELF and Mach-O headers. */
const processors: Record<number, string> = {
  62: 'x64',
  183: 'arm64',
  40: 'arm',
  3: 'ia32',
  243: 'riscv64',
  16777223: 'x64',
  16777228: 'arm64',
}

function readFirstBytes(program: string): Uint8Array {
  try {
    const fd = fs.openSync(program, 'r')
    try {
      const bytes = Buffer.alloc(HEADER_BYTES)
      return bytes.subarray(0, fs.readSync(fd, bytes, 0, HEADER_BYTES, 0))
    } finally {
      fs.closeSync(fd)
    }
  } catch {
    return Buffer.alloc(0) // A name without a path, or a file that may not be read.
  }
}
