import fs from 'node:fs'

/**
 * The bytes of one argument of this process, as they were typed. Node reads arguments as UTF-8 and puts U+FFFD for what is
 * none; Linux still has the bytes. Undefined where the machine does not tell them.
 */
export function readArgumentBytes(argument: string, typed = process.argv): Buffer | undefined {
  if (!argument.includes('\ufffd')) return Buffer.from(argument)
  if (process.platform !== 'linux') return undefined
  const fromEnd = typed.length - typed.lastIndexOf(argument)
  return splitCommandLine(fs.readFileSync('/proc/self/cmdline')).at(-fromEnd)
}

/** A command line as the kernel keeps it: each word with a NUL behind it. Pure. */
export function splitCommandLine(line: Buffer): Buffer[] {
  const words: Buffer[] = []
  for (let at = 0; at < line.length; ) {
    const end = line.indexOf(0, at)
    words.push(line.subarray(at, end < 0 ? line.length : end))
    at = end < 0 ? line.length : end + 1
  }
  return words
}
