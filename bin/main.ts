import { DispatchError, exits } from '../host/index.ts'

/**
 * Run a door: the only place that catches and the only one that sets an exit code. Two voices: words for people without
 * a stack, and the stack of a bug.
 */
export async function main(door: () => Promise<number>): Promise<void> {
  // A reader that went away (`dispatch ls | head`) is no failure.
  process.stdout.on('error', error => ('code' in error && error.code === 'EPIPE' ? process.exit(0) : undefined))
  try {
    process.exitCode = await door()
  } catch (error) {
    process.exitCode = error instanceof DispatchError ? error.exit : exits.internal
    if (error instanceof DispatchError)
      process.stderr.write(`dispatch: ${error.message}\n${error.remedy ? `  ${error.remedy}\n` : ''}`)
    else process.stderr.write(`dispatch: this is a bug of ours.\n${error instanceof Error ? error.stack : error}\n`)
  }
}
