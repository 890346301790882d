/** A process of `user-file-contest.test.ts`: `contestant.ts ROLE FILE NAME ROUNDS PAUSE`. The last line it prints is what it did. */
import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { changeUserFile, DispatchError } from '../../host/index.ts'

const [, , role = '', file = '', name = '', rounds = '0', pause] = process.argv
const lock = `${file}.lock`
const isOver = () => fs.existsSync(`${file}.over`)
const printFigures = (figures: object) => process.stdout.write(`${JSON.stringify(figures)}\n`)

/** One of ours: adds a key of its own in each round. To be refused (exit 5) is no loss: it was said. */
async function merge(): Promise<void> {
  let slowest = 0
  const done: string[] = []
  for (let round = 0; round < Number(rounds); round++) {
    const began = performance.now()
    const key = `${name}-${round}`
    const change = (content: Buffer | undefined) => {
      const config = JSON.parse(content?.toString() ?? '{}')
      return config[key] === 1 ? content : Buffer.from(JSON.stringify({ ...config, [key]: 1 }, null, 2))
    }
    try {
      await changeUserFile(file, change, pause ? { settleMs: Number(pause) } : {})
      done.push(key)
    } catch (error) {
      if (!(error instanceof DispatchError && error.exitCode === 5)) throw error
    }
    slowest = Math.max(slowest, performance.now() - began)
  }
  printFigures({ slowest: Math.round(slowest), done })
}

/** Claude 2.1.329 by its system calls: lock, read, 6 ms, a file beside it, fsync, rename, unlock. */
async function playClaude(isLocking: boolean): Promise<void> {
  let [wrote, gaveUp] = [0, 0]
  while (!isOver()) {
    if (!isLocking || (await taken())) {
      await write(`claude-${wrote++}`)
      if (isLocking) fs.rmdirSync(lock)
    } else if (!isOver()) gaveUp++ // One that is still waiting when all is over has given up nothing.
    await sleep(20 + Math.random() * 30)
  }
  printFigures({ wrote, gaveUp })
}

/** It tries again after 0.25, 0.5, 1, 2 … s, each up to twice as long, and after some 18 s leaves its change be. */
async function taken(): Promise<boolean> {
  for (let pause = 250; pause <= 8000; pause *= 2) {
    try {
      fs.mkdirSync(lock)
      const now = Math.ceil(Date.now() / 1000)
      fs.utimesSync(lock, now, now)
      return true
    } catch {
      for (const end = Date.now() + pause * (1 + Math.random()); Date.now() < end; ) {
        if (isOver()) return false
        await sleep(20)
      }
    }
  }
  return false
}

async function write(key: string): Promise<void> {
  const config = JSON.parse(fs.readFileSync(file, 'utf8'))
  await sleep(6)
  const draft = `${file}.tmp.${process.pid}.${key}`
  const fd = fs.openSync(draft, 'wx', 0o600)
  fs.writeSync(fd, JSON.stringify({ ...config, [key]: 1 }, null, 2))
  fs.fsyncSync(fd)
  fs.closeSync(fd)
  fs.renameSync(draft, file)
}

/** Whoever only reads sees a whole file at every moment. */
async function read(): Promise<void> {
  let [reads, torn] = [0, 0]
  for (; !isOver(); reads++) {
    try {
      JSON.parse(fs.readFileSync(file, 'utf8'))
    } catch {
      torn++
    }
    await sleep(2)
  }
  printFigures({ reads, torn })
}

if (role === 'merger') await merge()
else if (role === 'reader') await read()
else await playClaude(role === 'claude')
