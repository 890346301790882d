import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { escapeShellPattern, quoteForShell } from '#host/shell-quote.ts'

const words = [
  'plain',
  '',
  ' ',
  'a b',
  "it's",
  "''",
  '"',
  '$HOME',
  '$(x)',
  '`x`',
  '\\',
  'a\\',
  '\n',
  '*',
  '?',
  '[ab]',
  '[!a]',
  ']',
]
words.push('~', '#x', 'a;b', '&&', '-x', '!', '{a,b}', '(', '|', 'ü😀', 'app/[id]/page.tsx', 'a\\*b', '\t', '=', '%s')

test('sh reads a quoted text as exactly that text', async () => {
  const script = `printf '%s\\0' ${words.map(quoteForShell).join(' ')}`
  assert.deepEqual((await runProgram('/bin/sh', ['-c', script])).stdout.split('\0').slice(0, -1), words)
})

test('an escaped pattern of `case` matches exactly its text', async () => {
  const script = 'for word; do case $word in $PATTERN) printf "%s\\0" "$word" ;; esac; done'
  const others = [...words, 'a', 'b', 'x', 'ab', 'app/i/page.tsx']
  for (const word of words) {
    const env = { PATTERN: escapeShellPattern(word) }
    const { stdout } = await runProgram('/bin/sh', ['-c', script, 'sh', ...others], { env })
    assert.deepEqual(stdout.split('\0').slice(0, -1), [word], JSON.stringify(word))
  }
})
