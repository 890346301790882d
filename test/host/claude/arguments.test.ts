import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildHeadlessArguments, buildInteractiveArguments } from '#host/claude'
import type { ClaudeLaunch } from '#host/claude/arguments.ts'

const launch: ClaudeLaunch = {
  program: '/opt/claude',
  model: 'opus',
  systemPromptFile: '/s/system-prompt.md',
  settingsFile: '/s/settings.json',
  sessionId: 'c0ffee',
  tools: ['Read', 'Bash', 'Write'],
}

test('no launch reads the settings, hooks or servers of a repository', () => {
  for (const args of [buildInteractiveArguments(launch, 'begin'), buildHeadlessArguments(launch)]) {
    assert.equal(args[args.indexOf('--setting-sources') + 1], '')
    assert.ok(args.includes('--strict-mcp-config'))
    assert.ok(!args.some(arg => arg === '--mcp-config' || /dangerously|bypass/i.test(arg)))
    assert.equal(args[args.indexOf('--permission-mode') + 1], 'dontAsk')
    assert.equal(args[args.indexOf('--tools') + 1], 'Read,Bash,Write')
    assert.equal(args[args.indexOf('--allowedTools') + 1], 'Read,Bash,Write')
  }
})

test('an interactive launch ends with its prompt, a headless one prints a stream', () => {
  assert.deepEqual(buildInteractiveArguments(launch, '-begin').slice(-3), ['--permission-mode', 'dontAsk', '-begin'])
  assert.deepEqual(buildHeadlessArguments(launch).slice(-4), ['-p', '--output-format', 'stream-json', '--verbose'])
})
