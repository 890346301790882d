import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import {
  isAtLeast,
  minVersions,
  readVersion,
  requireClaude,
  requireGitToLand,
  requirePrograms,
} from '#host/versions.ts'
import { putFirstOnPath, writeOldGit } from '../fixtures/old-git.ts'
import { createScratchFolder } from '../fixtures/scratch.ts'

test('versions are compared by the numbers of their parts', () => {
  const enough: [version: string, minimum: string][] = [
    ['3.3a', '3.0'],
    ['3.0', '3.0'],
    ['2.1.118', minVersions.claude],
    ['2.2', minVersions.claude],
    ['10.0', '9.9'],
    ['22.22.0', minVersions.node],
  ]
  const tooOld: typeof enough = [
    ['2.9a', '3.0'],
    ['2.1.117', minVersions.claude],
    ['2.1', minVersions.claude],
    ['22.9.0', minVersions.node],
    ['1.99', '2.0'],
  ]
  for (const [version, minimum] of enough) assert.ok(isAtLeast(version, minimum), `${version} is at least ${minimum}`)
  for (const [version, minimum] of tooOld)
    assert.ok(!isAtLeast(version, minimum), `${version} is older than ${minimum}`)
})

test('a program has a version, or a reason why not', async t => {
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

test('a version check of claude is cached for a program, never for a script', async t => {
  const home = createScratchFolder(t)
  const claude = path.join(home, 'claude')
  const cacheFile = path.join(home, 'cache/claude')
  const linkTo = (target: string) => {
    fs.rmSync(claude, { force: true })
    fs.symlinkSync(target, claude)
  }
  linkTo(process.execPath)
  await requireClaude(claude, { home })
  const first = fs.readFileSync(cacheFile, 'utf8')
  fs.writeFileSync(cacheFile, `${first} older`)
  await requireClaude(claude, { home })
  assert.equal(fs.readFileSync(cacheFile, 'utf8'), first, 'a result for another file is ignored')
  fs.utimesSync(cacheFile, 1, 1)
  await requireClaude(claude, { home })
  assert.equal(fs.statSync(cacheFile).mtimeMs, 1000, 'it was not checked again')
  linkTo('/usr/bin/false')
  await assert.rejects(requireClaude(claude, { home }), /does not run/)
  const script = path.join(home, 'script')
  linkTo(script)
  fs.writeFileSync(script, '#!/bin/sh\necho 2.1.200\n', { mode: 0o755 })
  await requireClaude(claude, { home })
  fs.writeFileSync(script, '#!/bin/sh\necho 2.1.100\n', { mode: 0o755 })
  await assert.rejects(requireClaude(claude, { home }), /2\.1\.100 is too old/)
})

test('the versions of git and tmux are cached until the programs change', async t => {
  const home = createScratchFolder(t)
  const cacheFile = path.join(home, 'cache/git')
  await requirePrograms({ home })
  const first = fs.readFileSync(cacheFile, 'utf8')
  fs.utimesSync(cacheFile, 1, 1)
  await requirePrograms({ home })
  assert.equal(fs.statSync(cacheFile).mtimeMs, 1000, 'it was not checked again')
  fs.writeFileSync(cacheFile, `${first} older`)
  await requirePrograms({ home })
  assert.equal(fs.readFileSync(cacheFile, 'utf8'), first)
})

test('a git that is enough for sessions may be too old to land', async t => {
  const home = createScratchFolder(t)
  await requireGitToLand({ home })
  putFirstOnPath(t, writeOldGit(home, '2.34.1'))
  await requirePrograms({ home })
  await assert.rejects(requireGitToLand({ home }), {
    exitCode: 6,
    message: 'git 2.34.1 is too old to land, 2.38 is needed',
    remedy: /newer git|brew/,
  })
})
