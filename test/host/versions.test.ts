import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readArgumentBytes, splitCommandLine } from '#host/argv-bytes.ts'
import { detectBuildPlatform, isAtLeast, minVersions, readVersion, requireClaude } from '#host/versions.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

test('a version is compared part by part, and a letter at its end does not count', () => {
  const enough: [version: string, least: string][] = [
    ['3.3a', '3.0'],
    ['3.0', '3.0'],
    ['2.1.118', minVersions.claude],
    ['2.2', minVersions.claude],
    ['10.0', '9.9'],
    ['22.22.0', minVersions.node],
  ]
  const short: typeof enough = [
    ['2.9a', '3.0'],
    ['2.1.117', minVersions.claude],
    ['2.1', minVersions.claude],
    ['22.9.0', minVersions.node],
    ['1.99', '2.0'],
  ]
  for (const [version, least] of enough) assert.ok(isAtLeast(version, least), `${version} is at least ${least}`)
  for (const [version, least] of short) assert.ok(!isAtLeast(version, least), `${version} is not ${least}`)
})

test('a program tells its version, or why it has none', async t => {
  const folder = createScratchFolder(t)
  const program = (name: string, content: string, mode = 0o755) => {
    fs.writeFileSync(path.join(folder, name), content, { mode })
    return readVersion(path.join(folder, name))
  }
  assert.deepEqual(await program('apple', '#!/bin/sh\necho "git version 2.39.5 (Apple Git-154)"\n'), {
    version: '2.39.5',
  })
  assert.deepEqual(await program('tmux', '#!/bin/sh\necho "tmux next-3.5"\n'), { version: '3.5' })
  assert.deepEqual(await readVersion('no-such-program'), { reason: 'it is not on PATH' })
  assert.match(JSON.stringify(await program('inert', '#!/bin/sh\n', 0o644)), /inert is not executable/)
  assert.match(JSON.stringify(await program('mute', '#!/bin/sh\n')), /mute ended with exit 0/)
  assert.match(JSON.stringify(await program('loud', '#!/bin/sh\necho no >&2\nexit 9\n')), /ended with exit 9: no/)
})

test('the processor of a program is told from its first bytes', () => {
  const elf = (machine: number) => {
    const bytes = Buffer.alloc(64)
    bytes.writeUInt32BE(0x7f454c46, 0)
    bytes.writeUInt16LE(machine, 18)
    return bytes
  }
  const mach = (processor: number) => {
    const bytes = Buffer.alloc(64)
    bytes.writeUInt32LE(0xfeedfacf, 0)
    bytes.writeUInt32LE(processor, 4)
    return bytes
  }
  assert.equal(detectBuildPlatform(elf(62)), 'Linux on x64')
  assert.equal(detectBuildPlatform(elf(183)), 'Linux on arm64')
  assert.equal(detectBuildPlatform(elf(2)), 'Linux on another processor')
  assert.equal(detectBuildPlatform(mach(0x01000007)), 'macOS on x64')
  assert.equal(detectBuildPlatform(mach(0x0100000c)), 'macOS on arm64')
  assert.equal(detectBuildPlatform(Buffer.from('MZ'.padEnd(64, '\0'))), 'Windows')
  assert.equal(detectBuildPlatform(Buffer.from('#!/bin/sh\necho a script of some length\n')), undefined)
  assert.equal(detectBuildPlatform(Buffer.alloc(0)), undefined)
})

test('an argument is handed on as the bytes that were typed', () => {
  assert.deepEqual(readArgumentBytes('schön'), Buffer.from('schön'))
  assert.deepEqual(splitCommandLine(Buffer.from('node\0a\0\0b\0')).map(String), ['node', 'a', '', 'b'])
  assert.deepEqual(splitCommandLine(Buffer.from([0x61, 0, 0xff, 0])).at(-1), Buffer.from([0xff]))
})

test('a compiled claude is asked for its version once, until it is another file; a script is asked each time', async t => {
  const home = createScratchFolder(t)
  const claude = path.join(home, 'claude')
  const note = path.join(home, 'cache/claude')
  const becomes = (target: string) => {
    fs.rmSync(claude, { force: true })
    fs.symlinkSync(target, claude)
  }
  becomes(process.execPath)
  await requireClaude(claude, { home })
  const first = fs.readFileSync(note, 'utf8')
  fs.writeFileSync(note, `${first} older`)
  await requireClaude(claude, { home })
  assert.equal(fs.readFileSync(note, 'utf8'), first, 'what was noted of another file counts for nothing')
  fs.utimesSync(note, 1, 1)
  await requireClaude(claude, { home })
  assert.equal(fs.statSync(note).mtimeMs, 1000, 'it was not asked again')
  becomes('/usr/bin/false')
  await assert.rejects(requireClaude(claude, { home }), /does not run/)
  const script = path.join(home, 'script')
  becomes(script)
  fs.writeFileSync(script, '#!/bin/sh\necho 2.1.200\n', { mode: 0o755 })
  await requireClaude(claude, { home })
  fs.writeFileSync(script, '#!/bin/sh\necho 2.1.100\n', { mode: 0o755 })
  await assert.rejects(requireClaude(claude, { home }), /2\.1\.100 is too old/)
})
