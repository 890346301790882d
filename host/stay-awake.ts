import { type ChildProcess, spawn } from 'node:child_process'

/** Keeps the machine from going to sleep by itself while it is told to. */
export interface StayAwake {
  hold(isNeeded: boolean): void
}

/** On a Mac, which sleeps although programs run. `program` is `caffeinate`; without one nothing is done. It ends with this process. */
export function createStayAwake(program = systemProgram): StayAwake {
  let child: ChildProcess | undefined
  return {
    hold(isNeeded) {
      if (!isNeeded) {
        child?.kill()
        child = undefined
        return
      }
      if (child !== undefined || program === undefined) return
      const started = spawn(program, ['-i', '-w', String(process.pid)], { stdio: 'ignore' })
      const forget = () => {
        if (child === started) child = undefined
      }
      started.once('error', forget).once('exit', forget).unref()
      child = started
    },
  }
}

// --- internal ---

const systemProgram = process.platform === 'darwin' ? '/usr/bin/caffeinate' : undefined
