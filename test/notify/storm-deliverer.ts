/** The deliverers of the storm: the real one at a faster pace, each a process of its own, and another when it is killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createConfigReader, readConfig } from '../../host/index.ts'
import { runDeliverer } from '../../notify/index.ts'
import { buildStormTiming } from './storm-pace.ts'

interface Calls {
  /** One was killed, and the next has not begun. */
  onKilled: () => void
  /** Is there nothing for the next to do? */
  isIdle: () => boolean
}

/** Keep a deliverer alive until told to stop. */
export function runStormDeliverer(home: string, apart: boolean, { onKilled, isIdle }: Calls) {
  /** `progress` is what the living one has got through. */
  const tally = { kills: 0, progress: 0 }
  let child: ChildProcess | undefined
  let isOver = false
  process.once('exit', kill)
  const over = keep()

  async function keep(): Promise<void> {
    const words = [import.meta.filename, ...(apart ? ['--apart'] : [])]
    const env = { PATH: process.env['PATH'], HOME: home, DISPATCH_HOME: home }
    while (!isOver) {
      const started = spawn(process.execPath, words, { env, stdio: ['ignore', 'inherit', 'inherit'] })
      child = started
      tally.progress = 0
      const signal = await new Promise(resolve => started.once('exit', (_, by) => resolve(by)))
      child = undefined
      if (signal !== 'SIGKILL' && isIdle()) await sleep(20)
      if (signal !== 'SIGKILL') continue
      tally.kills++
      onKilled()
    }
  }

  function kill(): void {
    child?.kill('SIGKILL')
    child = undefined // It dies once.
  }

  /** Resolves when the last has ended by itself. */
  async function stop(): Promise<void> {
    isOver = true
    await over
  }

  return { tally, kill, stop }
}

/** A bucket so small that whoever has much to send waits for it; and of a server's Retry-After a fifth of a second. */
const strict = { burstSize: 4, refillMs: 15, maxWaitMs: 200 }

async function deliverAll(): Promise<void> {
  const config = readConfig()
  const warn = (problem: string) => void process.stderr.write(`${problem}\n`)
  await runDeliverer(config.home, createConfigReader(config, warn), {
    ...buildStormTiming(process.argv.includes('--apart')),
    ...strict,
  })
}

if (path.resolve(process.argv[1] ?? '') === import.meta.filename) await deliverAll()
