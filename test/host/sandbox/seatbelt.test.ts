/**
 * The profiles that the library makes of the policies on macOS. They are only read here, because Linux cannot run them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildPolicy } from '#host/sandbox'
import { buildInnerScript, buildRuntimeConfig } from '#host/sandbox/command-line.ts'
import { shortenTempFolder } from '#host/sandbox/open-seatbelt.ts'
import type { SandboxRole } from '#host/sandbox/policy.ts'

const LIBRARY_MODULE = '@anthropic-ai/sandbox-runtime/dist/sandbox/macos-sandbox-utils.js'

async function buildProfile(
  role: SandboxRole,
  changes: Partial<Parameters<typeof buildPolicy>[1]> = {},
): Promise<string> {
  const input = {
    folder: '/Volumes/s/outputs',
    tempFolder: '/Volumes/s/scratch',
    outputs: '/Volumes/s/outputs',
    allowedHosts: ['h:1'],
    ...changes,
  }
  const readable = { denied: ['/Users', '/Volumes'], allowed: ['/Volumes/me/.cargo'] }
  const { filesystem, network, allowPty } = buildRuntimeConfig(
    buildPolicy(role, input),
    readable,
    '/Volumes/sockets',
    'darwin',
  )
  const { wrapCommandWithSandboxMacOS } = await import(LIBRARY_MODULE)
  return wrapCommandWithSandboxMacOS({
    command: 'true',
    needsNetworkRestriction: true,
    httpProxyPort: 4444,
    socksProxyPort: 4444,
    readConfig: { denyOnly: filesystem.denyRead, allowWithinDeny: filesystem.allowRead },
    writeConfig: { allowOnly: filesystem.allowWrite, denyWithinAllow: filesystem.denyWrite },
    allowLocalBinding: network.allowLocalBinding,
    allowUnixSockets: network.allowUnixSockets,
    allowAllUnixSockets: network.allowAllUnixSockets,
    allowPty,
    binShell: '/bin/sh',
  })
}

/** The lines of one rule, such as `(deny file-read*`. */
function extractRule(profile: string, start: string): string {
  return profile.slice(profile.indexOf(start)).split('\n(')[0] ?? ''
}

test('a worker writes its repository, except for what git would run', async () => {
  const profile = await buildProfile('code')
  assert.match(profile, /sandbox-exec -p/)
  assert.match(profile, /\(deny default/)
  assert.match(extractRule(profile, '(allow file-write*'), /subpath "\/Volumes\/s\/outputs"/)
  assert.match(extractRule(profile, '(deny file-write*'), /outputs\/\.git\/config"[\s\S]*outputs\/\.git\/hooks"/)
})

test('homes and volumes are denied, and what is needed is allowed again', async () => {
  const profile = await buildProfile('code')
  assert.match(extractRule(profile, '(deny file-read*'), /subpath "\/Users"[\s\S]*subpath "\/Volumes"/)
  const allowed = extractRule(profile, '(allow file-read*\n')
  assert.match(allowed, /subpath "\/Volumes\/me\/\.cargo"/)
})

test('what may be written can be read, also below a folder that is denied', async () => {
  for (const role of ['code', 'check', 'setup'] as const) {
    const profile = await buildProfile(role, { writablePaths: ['/Volumes/s/outputs'] })
    const rules = profile.split('\n(').filter(rule => /^(allow|deny) file-read\*/.test(rule))
    for (const place of ['/Volumes/s/outputs', '/Volumes/s/scratch']) {
      const last = rules.findLast(rule => rule.includes(`subpath "${place}"`)) // The last rule that matches decides.
      assert.ok(last?.startsWith('allow'), `${role} ${place}: ${last}`)
      assert.ok(rules.indexOf(last ?? '') > rules.findIndex(rule => rule.includes('subpath "/Volumes"')))
    }
  }
})

test('the network is the proxy, or loopback for a role that listens there', async () => {
  const listOutbound = (profile: string) => profile.match(/\(allow network-outbound \(remote ip.*/g) ?? []
  assert.deepEqual(listOutbound(await buildProfile('orchestrator')), [
    '(allow network-outbound (remote ip "localhost:4444"))',
  ])
  assert.ok(listOutbound(await buildProfile('code')).some(line => line.includes('localhost:*')))
})

test('Unix sockets are allowed in the folders that a role may write, and nowhere else', async () => {
  const profile = await buildProfile('check')
  const outbound = profile.match(/\(allow network-outbound \(remote unix-socket.*/g) ?? []
  assert.deepEqual(outbound, ['(allow network-outbound (remote unix-socket (subpath "/Volumes/s/scratch")))'])
})

test('a socket fits into the folder for temporary files, however long that of the session is', async () => {
  const sockets = '/private/tmp/dsp12345678-12345-AbCdEf'
  const long = '/Volumes/homes/.claude-dispatch/workspace/2026-12-01-fix-the-login-a3f9/workers/fix/tmp'
  const policy = buildPolicy('code', { folder: '/Volumes/o', outputs: '/Volumes/o', tempFolder: long })
  const inner = shortenTempFolder(policy, sockets)
  assert.match(
    buildInnerScript(inner.policy, ['true'], inner.tempFolder),
    new RegExp(`export TMPDIR='?${sockets}/t'?;`),
  )
  const longest = '/pytest-of-ada/pytest-0/popen-gw0/test_socket0/x.sock'
  assert.ok(Buffer.byteLength(inner.tempFolder + longest) < 103)
  const { filesystem, network } = buildRuntimeConfig(inner.policy, { denied: [], allowed: [] }, sockets, 'darwin')
  for (const list of [filesystem.allowWrite, filesystem.allowRead, network.allowUnixSockets])
    assert.ok(list.includes(inner.tempFolder) && list.includes(long))
  const short = { ...policy, tempFolder: '/private/tmp/x' }
  assert.deepEqual(shortenTempFolder(short, sockets), { policy: short, tempFolder: '/private/tmp/x' })
})
