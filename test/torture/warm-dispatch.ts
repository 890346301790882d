import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** What a command printed, and its exit code. */
export interface WarmResult {
  number: number
  exitCode: number
  stdout: string
  stderr: string
}

/** A `dispatch` that stays, for the commands between two kills. It starts with the first of them, and is killed with the rig. */
export function openWarmDispatch(
  program: string,
  options: { cwd: string; env: Record<string, string> },
): (args: string[]) => Promise<WarmResult> {
  let [child, count]: [ChildProcess | undefined, number] = [undefined, 0]
  return async args => {
    child ??= fork(program, [], { ...options, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }).setMaxListeners(0)
    const number = ++count
    const ended = new AbortController()
    const answered = new Promise<WarmResult>(resolve => {
      const take = (result: WarmResult) => {
        if (result.number !== number) return
        child?.off('message', take)
        resolve(result)
      }
      child?.on('message', take)
    })
    child.send({ number, args })
    const died = once(child, 'exit', { signal: ended.signal }).then(([code, signal]) => {
      throw new Error(`dispatch ${args.join(' ')} has ended the process: ${code ?? signal}`)
    })
    try {
      return await Promise.race([answered, died])
    } finally {
      ended.abort()
      died.catch(() => undefined)
    }
  }
}
