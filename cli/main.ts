import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
import { toStorageError } from '#host/fs'
import { useTempFolder } from '#host/temp-folder.ts'
import { sanitize } from '#host/text.ts'
import { getExitCodeWithoutReader } from './end-signal.ts'

/**
 * Run a program and set its exit code; nothing is 0. This is where errors become messages: a
 * `DispatchError` is printed with its remedy, and so is a fault of the machine. Any other error is a bug, printed with its stack.
 */
export async function main(run: () => Promise<number | undefined>): Promise<void> {
  process.stdout.on('error', exitOnOutputError)
  process.stderr.on('error', () => undefined) // Nothing can be printed any more; the exit code still reports the error.
  try {
    const notice = useTempFolder()
    if (notice !== undefined) process.stderr.write(`dispatch: ${notice}\n`)
    process.exitCode = (await run()) ?? exitCodes.ok
  } catch (thrown) {
    const error = toStorageError(undefined, thrown)
    process.exitCode = error instanceof DispatchError ? error.exitCode : exitCodes.internal
    process.stderr.write(formatError(error))
  }
}

// --- internal ---

/** A message may have words of others in it, such as the name of the machine that has claimed an issue. */
function formatError(error: unknown): string {
  if (!(error instanceof DispatchError))
    return `dispatch: internal error, please report it\n${sanitize(`${error instanceof Error ? error.stack : error}`)}\n`
  if (error.message === '') return '' // Ctrl-c needs no message.
  return sanitize(`dispatch: ${error.message}\n${error.remedy ? `  ${error.remedy}\n` : ''}`)
}

/** A reader that has gone is mostly no failure; a full disk is. SIGPIPE lets a program clean up first. */
function exitOnOutputError(error: Error): void {
  if (!isErrno(error, 'EPIPE')) {
    process.stderr.write(`dispatch: the output cannot be written: ${error.message}\n`)
    process.exit(exitCodes.storage)
  }
  if (!process.emit('SIGPIPE')) process.exit(getExitCodeWithoutReader())
}
