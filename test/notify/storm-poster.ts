/** The poster of the storm: what it tells, and a process of its own that is killed and goes on where it was. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { listNames } from '../../host/index.ts'
import { getOutboxFolders, QueuedNotification, writeToOutbox } from '../../notify/index.ts'

const born = Date.now() - 3600_000

/** So many messages of 40 sessions, of which the first have the most to say. Half are calm, and may go with others’. */
export function createStormNotifications(many: number, chance: () => number): QueuedNotification[] {
  return Array.from({ length: many }, (_, at) => {
    const sessionId = `2026-11-21-storm-${String(Math.floor(chance() ** 2 * 40)).padStart(4, '0')}`
    const notification = {
      title: 'Dispatch: storm',
      body: `${sessionId} is at ${at}`,
      priority: chance() < 0.5 ? 3 : 4,
      tags: ['zap'],
    }
    return { id: `${sessionId}-${at}`, sessionId, at: new Date(born + at).toISOString(), deliverBy: null, notification }
  })
}

/** The session of which an id tells. */
export function parseSessionId(id: string): string {
  return id.replace(/-\d+$/, '')
}

/**
 * Post these from a process that acknowledges each when post() has returned. The one that follows a kill begins with the
 * first that was not acknowledged, whether it lies there or not.
 */
export function startPoster(home: string, messages: QueuedNotification[]) {
  const folders = getOutboxFolders(home, 'phone')
  const tally = { acknowledged: 0, kills: 0, again: 0 }
  let goal = 0
  let fatal = Number.POSITIVE_INFINITY
  let isOver = false
  let reached: (() => void) | undefined
  let child = start()

  function start() {
    const words = [import.meta.filename, home]
    const started = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    started.stdin.on('error', () => undefined) // It was killed while it was spoken to; what it missed is said again.
    createInterface({ input: started.stdout }).on('line', id => hear(id, started))
    started.once('close', (code, signal) => end(code, signal))
    return started
  }

  function hear(id: string, from: ChildProcessByStdio<Writable, Readable, null>): void {
    const expected = messages[tally.acknowledged]?.id
    if (id !== expected) throw new Error(`${id} was acknowledged in place of ${expected}`)
    tally.acknowledged++
    if (tally.acknowledged === goal) reached?.()
    if (tally.acknowledged !== fatal) return
    fatal = Number.POSITIVE_INFINITY
    setTimeout(() => from.kill('SIGKILL'), Math.random() * 4)
  }

  function end(code: number | null, signal: NodeJS.Signals | null): void {
    if (isOver) return
    if (signal !== 'SIGKILL') throw new Error(`the poster ended by itself: ${code ?? signal}`)
    tally.kills++
    if (isLaid(messages[tally.acknowledged])) tally.again++
    child = start()
    say(tally.acknowledged)
  }

  function isLaid(message: QueuedNotification | undefined): boolean {
    const all = Object.values(folders).flatMap(listNames)
    return message !== undefined && all.some(name => name.endsWith(`-${message.id}.json`))
  }

  function say(from: number): void {
    for (const message of messages.slice(from, goal)) child.stdin.write(`${JSON.stringify(message)}\n`)
  }

  /** Resolves when all before the `count`th are acknowledged; kills the poster some moment after the `last`th was. */
  function upTo(count: number, last = Number.POSITIVE_INFINITY): Promise<void> {
    const from = goal
    goal = count
    fatal = last
    say(from)
    return new Promise(resolve => {
      reached = resolve
    })
  }

  function stop(): void {
    isOver = true
    child.stdin.end()
  }

  return { tally, upTo, stop }
}

async function postAll(home: string): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const message = QueuedNotification.parse(JSON.parse(line))
    writeToOutbox(home, message, ['phone'])
    fs.writeSync(1, `${message.id}\n`)
  }
}

if (path.resolve(process.argv[1] ?? '') === import.meta.filename) await postAll(process.argv[2] ?? '')
