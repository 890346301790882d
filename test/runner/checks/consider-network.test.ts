import assert from 'node:assert/strict'
import { it } from 'node:test'
import { considerNetwork } from '#runner/checks/consider-network.ts'
import type { TestCounts } from '#session/evidence'

const red = { outcome: 'red', reason: 'exit 1, not 0' } as const
const consider = (stderr: string, tests?: TestCounts, sandbox: 'bubblewrap' | null = 'bubblewrap') =>
  considerNetwork(red, { stdout: '', stderr }, tests, sandbox)

it('a check that needs a host could not run', () => {
  // Each as it was printed in a sandbox without a network.
  const said: [stderr: string, needs: string][] = [
    ['curl: (6) Could not resolve host: api.site.org', 'api.site.org'],
    ["fatal: unable to access 'https://git.site.org/x/': Could not resolve host: git.site.org", 'git.site.org'],
    ['npm error request to https://r.site.org/x failed, reason: getaddrinfo EAI_AGAIN r.site.org', 'r.site.org'],
    [
      'x.go:2:8: a@v1: Get "https://p.site.org/a.zip": dial tcp: lookup p.site.org on 10.0.0.53:53: dial udp 10.0.0.53:53: connect: network is unreachable',
      'p.site.org',
    ],
    ['wget: unable to resolve host address ‘api.site.org’', 'api.site.org'],
    ['  [6] Could not resolve hostname (Could not resolve host: index.site.org)', 'index.site.org'],
    ['urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>', 'the network'],
    [
      `(Caused by NameResolutionError("x: Failed to resolve 'api.site.org' ([Errno -3] Temporary failure in name resolution)"))`,
      'api.site.org',
    ],
  ]
  for (const [stderr, needs] of said) {
    const expected = { outcome: 'could not run', reason: `it needs ${needs}, and checks have no network` }
    assert.deepEqual(consider(stderr), expected, stderr)
    assert.deepEqual(consider(stderr, 'unknown'), expected, stderr)
    assert.equal(consider(stderr, undefined, null), red, 'without a sandbox there is a network')
  }
})

it('an honest red stays red', () => {
  const needs = 'Error: getaddrinfo ENOTFOUND api.site.org'
  assert.deepEqual(consider(needs, { ran: 12, failed: 1, skipped: 0 }), {
    outcome: 'red',
    reason: 'exit 1, not 0; it called api.site.org, and checks have no network',
  })
  assert.equal(consider(needs, { ran: 0, failed: 0, skipped: 0 }).outcome, 'could not run')
  for (const host of ['nothing.invalid', 'x.test', 'example.com', 'www.example.org', 'db', '10.0.0.1'])
    assert.equal(consider(`Error: getaddrinfo ENOTFOUND ${host}`), red, host)
  assert.equal(consider('expected 1, got 2'), red)
  const green = { outcome: 'green', reason: '' } as const
  assert.equal(considerNetwork(green, { stdout: needs, stderr: '' }, undefined, 'bubblewrap'), green)
})
