import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { detectSandbox } from '#host/sandbox'
import { describeBubblewrapError, describeMissingPrograms } from '#host/sandbox/detect.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

test('a missing program is reported with its remedy', async t => {
  const empty = createScratchFolder(t)
  assert.deepEqual(await detectSandbox(empty, 'linux'), describeMissingPrograms(['bwrap', 'socat']))
  fs.writeFileSync(
    path.join(empty, 'bwrap'),
    '#!/bin/sh\necho "bwrap: No permissions to create new namespace, likely" >&2\nexit 1\n',
    { mode: 0o755 },
  )
  fs.writeFileSync(path.join(empty, 'socat'), '#!/bin/sh\n', { mode: 0o755 })
  const withoutNamespaces = await detectSandbox(empty, 'linux')
  assert.match('problem' in withoutNamespaces ? withoutNamespaces.problem : '', /does not allow user namespaces/)
  assert.match('problem' in (await detectSandbox(empty, 'sunos')) ? 'problem' : '', /problem/)
})

/** Recorded errors: Debian 12 nested, an exhausted limit, Ubuntu 24.04, a container. */
test('errors of bubblewrap are explained', () => {
  for (const [stderr, explanation] of [
    [
      'bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces. See <x>',
      /does not allow user namespaces/,
    ],
    [
      'bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)',
      /does not allow user namespaces/,
    ],
    ['bwrap: setting up uid map: Permission denied', /does not allow user namespaces/],
    ["bwrap: Can't mount proc on /newroot/proc: Operation not permitted", /container/],
    ['', /printed no error/],
  ] as const)
    assert.match(describeBubblewrapError(stderr), explanation)
})
