/** What becomes of our policies on a Mac: the library's own profile, made here and read; nobody here could run it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildPolicy } from '#host/sandbox'
import type { SandboxRole } from '#host/sandbox/policy.ts'
import { buildRuntimeConfig } from '#host/sandbox/run.ts'

const profiles = '@anthropic-ai/sandbox-runtime/dist/sandbox/macos-sandbox-utils.js'

async function profileOf(role: SandboxRole): Promise<string> {
  const needs = {
    folder: '/Volumes/s/outputs',
    tempFolder: '/Volumes/s/scratch',
    outputs: '/Volumes/s/outputs',
    allowedHosts: ['h:1'],
  }
  const reads = { denied: ['/Users', '/Volumes'], allowed: ['/Volumes/me/.cargo'] }
  const { filesystem, network, allowPty } = buildRuntimeConfig(
    buildPolicy(role, needs),
    reads,
    '/Volumes/scene',
    'darwin',
  )
  const { wrapCommandWithSandboxMacOS } = await import(profiles)
  return wrapCommandWithSandboxMacOS({
    command: 'true',
    needsNetworkRestriction: true,
    httpProxyPort: 4444,
    socksProxyPort: 4444,
    readConfig: { denyOnly: filesystem.denyRead, allowWithinDeny: filesystem.allowRead },
    writeConfig: { allowOnly: filesystem.allowWrite, denyWithinAllow: filesystem.denyWrite },
    allowLocalBinding: network.allowLocalBinding,
    allowPty,
    binShell: '/bin/sh',
  })
}

/** The lines of one rule, such as `(deny file-read*`. */
function rule(profile: string, head: string): string {
  return profile.slice(profile.indexOf(head)).split('\n(')[0] ?? ''
}

test('a worker on a Mac writes its repository, less what git would run', async () => {
  const profile = await profileOf('code')
  assert.match(profile, /sandbox-exec -p/)
  assert.match(profile, /\(deny default/)
  assert.match(rule(profile, '(allow file-write*'), /subpath "\/Volumes\/s\/outputs"/)
  assert.match(rule(profile, '(deny file-write*'), /outputs\/\.git\/config"[\s\S]*outputs\/\.git\/hooks"/)
})

test('homes and volumes are closed there, and what is needed is opened again', async () => {
  const profile = await profileOf('code')
  assert.match(rule(profile, '(deny file-read*'), /subpath "\/Users"[\s\S]*subpath "\/Volumes"/)
  assert.match(rule(profile, '(allow file-read*\n'), /subpath "\/Volumes\/me\/\.cargo"/)
})

test('the way out is the proxy; who may serve on loopback may call it, too', async () => {
  const outbound = (profile: string) => profile.match(/\(allow network-outbound.*/g) ?? []
  assert.deepEqual(outbound(await profileOf('orchestrator')), ['(allow network-outbound (remote ip "localhost:4444"))'])
  assert.ok(outbound(await profileOf('code')).some(line => line.includes('localhost:*')))
})
