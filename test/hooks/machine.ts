import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { installFolder } from '../../host/index.ts'

export const hooksFolder = path.join(installFolder, 'hooks')

/** A folder with a spool in it, for one test. */
export function createHookFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hooks [x] '))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  fs.mkdirSync(path.join(folder, 'spool'))
  return folder
}

/** What a hook came to, as claude sees it: when its process ended, whoever lives on. */
export interface HookRun {
  code: number | null
  seconds: number
  output: string
}

/**
 * Run a shell line as claude runs a hook: `feed` writes its input, which nobody closes unless it does. What lives on
 * afterwards is left alone.
 */
export function runHook(line: string, env: Record<string, string>, feed: (input: Writable) => void): Promise<HookRun> {
  const begun = performance.now()
  const child = spawn('/bin/sh', ['-c', line], { env: { DISPATCH_HOOKS: hooksFolder, ...env }, stdio: 'pipe' })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output += chunk
    })
  child.stdin.on('error', () => undefined) // It may end without reading its input.
  feed(child.stdin)
  return new Promise(resolve => {
    child.once('exit', code => {
      const seconds = (performance.now() - begun) / 1000
      setTimeout(() => {
        child.stdin.destroy() // As claude does: what still reads comes to its end.
        for (const stream of [child.stdout, child.stderr]) stream.destroy()
        resolve({ code, seconds, output })
      }, 100)
    })
  })
}

/** What lies in a spool, by the recorders' own names. */
export function listSpoolFiles(spool: string): string[] {
  return fs.readdirSync(spool).filter(name => /^\d+-\d+-/.test(name))
}

export const endInput = (text: string | Uint8Array) => (input: Writable) => void input.end(text)
