import fs from 'node:fs'

/**
 * The bytes of an argument of this process, as they were typed. Node decodes arguments as UTF-8 and puts U+FFFD for
 * invalid bytes; Linux still has the original bytes. Undefined where the system does not keep them.
 */
export function readArgumentBytes(argument: string, argv = process.argv): Buffer | undefined {
  if (!argument.includes('\ufffd')) return Buffer.from(argument)
  if (process.platform !== 'linux') return undefined
  const indexFromEnd = argv.length - argv.lastIndexOf(argument)
  return splitCommandLine(fs.readFileSync('/proc/self/cmdline')).at(-indexFromEnd)
}

/** The arguments in `/proc/<pid>/cmdline`, where a NUL follows each. Pure. */
export function splitCommandLine(commandLine: Buffer): Buffer[] {
  const words = commandLine.toString('latin1').replace(/\0$/, '').split('\0')
  return words.map(word => Buffer.from(word, 'latin1'))
}
