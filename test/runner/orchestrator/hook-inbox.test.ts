import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { drainHookInbox, parseHookEvent } from '#runner/orchestrator/hook-inbox.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

it('events are passed on oldest first, with their worker, and removed', t => {
  const inbox = createScratchFolder(t)
  const write = (name: string, event: string, seconds: number) => {
    fs.writeFileSync(path.join(inbox, name), JSON.stringify({ hook_event_name: event }))
    fs.utimesSync(path.join(inbox, name), seconds, seconds)
  }
  write('1-2-w1', 'Second', 20)
  write('1-1-', 'First', 10)
  write('.1-3-', 'Unfinished', 5)
  fs.writeFileSync(path.join(inbox, '1-4-'), 'nonsense')
  fs.symlinkSync('/etc/hostname', path.join(inbox, '1-5-'))
  fs.mkdirSync(path.join(inbox, '1-6-'))
  const seen: string[] = []
  drainHookInbox(inbox, ({ hook_event_name, origin }) => seen.push(`${hook_event_name} ${origin.worker}`))
  assert.deepEqual(seen, ['First ', 'Second w1'])
  assert.deepEqual(fs.readdirSync(inbox), ['.1-3-', '1-6-'])
  assert.ok(fs.existsSync('/etc/hostname'))
})

it('an event that its receiver rejects stays in the inbox', t => {
  const inbox = createScratchFolder(t)
  fs.writeFileSync(path.join(inbox, '1-1-'), '{"hook_event_name":"Stop"}')
  assert.throws(() =>
    drainHookInbox(inbox, () => {
      throw new Error('disk full')
    }),
  )
  assert.deepEqual(fs.readdirSync(inbox), ['1-1-'])
})

it('a prompt that was cut is read as far as it goes', () => {
  const text = JSON.stringify({ hook_event_name: 'UserPromptSubmit', prompt: 'x'.repeat(1024 * 1024) })
  const hookEvent = parseHookEvent(text.slice(0, 65_536), '')
  assert.ok(hookEvent?.prompt && hookEvent.prompt.length > 60_000 && text.includes(hookEvent.prompt))
})

it('text that is not an event is undefined, and __proto__ gives no fields', () => {
  const hostile = '{"__proto__":{"hook_event_name":"UserPromptSubmit","session_id":"o"},"prompt":"x'
  const texts = ['', 'x', '[1', '{"hook_event_name":[]}', '['.repeat(1024 * 1024), hostile, `${hostile}"}`]
  for (const text of texts) assert.equal(parseHookEvent(text, ''), undefined, text.slice(0, 40))
})
