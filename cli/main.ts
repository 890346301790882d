import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
/**
 * Run a door: the only place that catches and the only one that sets an exit code. Two voices: words for people without
 * a stack, and the stack of a bug.
 */
export async function main(run: () => Promise<number>): Promise<void> {
  process.stdout.on('error', exitOnOutputError)
  process.stderr.on('error', () => undefined) // Nobody hears us: the exit code stands.
  try {
    process.exitCode = await run()
  } catch (error) {
    process.exitCode = error instanceof DispatchError ? error.exitCode : exitCodes.internal
    if (error instanceof DispatchError && error.message === '') return // Ctrl-c: who pressed it knows.
    if (error instanceof DispatchError)
      process.stderr.write(`dispatch: ${error.message}\n${error.remedy ? `  ${error.remedy}\n` : ''}`)
    else process.stderr.write(`dispatch: this is a bug of ours.\n${error instanceof Error ? error.stack : error}\n`)
  }
}

/**
 * A reader that went away (`dispatch ls | head`) is no failure; words that cannot be written (a full disk) are one. Who has
 * something to tidy up first listens for SIGPIPE.
 */
function exitOnOutputError(error: Error): void {
  if (!isErrno(error, 'EPIPE')) process.exit(exitCodes.storage)
  if (!process.emit('SIGPIPE')) process.exit(exitCodes.ok)
}
