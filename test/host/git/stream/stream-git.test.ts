import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { GitStreamError, streamGit } from '#host/git/stream'
import { createScratchFolder } from '../../../fixtures/scratch.ts'
import '../../../fixtures/plain-git.ts'

const timeoutMs = 60_000

async function collect(chunks: AsyncGenerator<Buffer>): Promise<string> {
  let text = ''
  for await (const chunk of chunks) text += chunk.toString()
  return text
}

const hasReason = (reason: GitStreamError['reason']) => (error: unknown) =>
  error instanceof GitStreamError && error.reason === reason

test('the output comes whole, and a failure has what git says', async t => {
  const folder = createScratchFolder(t)
  const inFolder = ['--git-dir', folder]
  execFileSync('git', ['init', '-q', '--bare', folder])
  const text = 'line\n'.repeat(200_000)
  const input = { input: text, encoding: 'utf8' } as const
  const hash = execFileSync('git', [...inFolder, 'hash-object', '-w', '--stdin'], input).trim()
  assert.equal(await collect(streamGit([...inFolder, 'cat-file', 'blob', hash], { timeoutMs })), text)
  const missing = collect(streamGit([...inFolder, 'cat-file', 'blob', 'a'.repeat(40)], { timeoutMs }))
  await assert.rejects(
    missing,
    (error: Error) => hasReason('failed')(error) && /Not a valid object|bad file/.test(error.message),
  )
})

test('git ends at its time limit, when the signal aborts, and when the consumer stops', async t => {
  const folder = createScratchFolder(t)
  execFileSync('git', ['init', '-q', '--bare', folder])
  // It waits for input from a pipe that stays open.
  const pipe = path.join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const held = fs.openSync(pipe, 'r+')
  t.after(() => fs.closeSync(held))
  const waiting = ['--git-dir', folder, 'hash-object', '--no-filters', pipe]
  await assert.rejects(collect(streamGit(waiting, { timeoutMs: 20 })), hasReason('timed out'))
  const reader = new AbortController()
  const aborted = collect(streamGit(waiting, { timeoutMs, signal: reader.signal }))
  reader.abort()
  await assert.rejects(aborted, hasReason('aborted'))
  await assert.rejects(collect(streamGit(waiting, { timeoutMs, signal: AbortSignal.abort() })), hasReason('aborted'))
  const chunks = streamGit(['--version'], { timeoutMs })
  for await (const chunk of chunks) {
    assert.match(chunk.toString(), /^git version/)
    break
  }
  assert.deepEqual(await chunks.next(), { value: undefined, done: true })
})
