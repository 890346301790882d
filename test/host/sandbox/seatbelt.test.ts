/**
 * The profiles that the library makes of the policies on macOS. They are only read here, because Linux cannot run them.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { buildPolicy } from '#host/sandbox'
import { buildInnerScript, buildRuntimeConfig } from '#host/sandbox/command-line.ts'
import { enterEmptyFolder, shortenTempFolder } from '#host/sandbox/open-seatbelt.ts'
import type { SandboxRole } from '#host/sandbox/policy.ts'
import { closeTerminals, parseTerminal } from '#host/sandbox/terminals.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

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
    allowMachLookup: network.allowMachLookup,
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

test('certificates can be verified by a role that reaches a host, and by no other', async () => {
  const isOpen = async (role: SandboxRole, allowedHosts: string[]) =>
    (await buildProfile(role, { allowedHosts })).includes('com.apple.trustd.agent')
  assert.ok(await isOpen('setup', ['proxy.golang.org:443']))
  assert.ok(await isOpen('code', ['127.0.0.1:4000', 'h:1']))
  assert.equal(await isOpen('code', ['127.0.0.1:4000']), false) // Only the relay to the model.
  assert.equal(await isOpen('check', ['h:1']), false)
})

test('the terminals of the user are closed, except for the own one and those made inside', async () => {
  const profile = await buildProfile('check')
  const rules = closeTerminals(profile, '/dev/ttys003').split('\n(').slice(-5)
  assert.deepEqual(
    rules.map(rule => rule.split("'")[0]),
    [
      'allow pseudo-tty)',
      'allow file-read* file-write* file-ioctl (literal "/dev/ptmx"))',
      'deny file-read* file-write* file-ioctl (regex #"^/dev/ttys"))',
      'allow file-read* file-write* file-ioctl (require-all (regex #"^/dev/ttys") (extension "com.apple.sandbox.pty")))',
      'allow file-read* file-write* file-ioctl (literal "/dev/ttys003"))',
    ],
  )
  assert.doesNotMatch(closeTerminals(profile, undefined), /ttys003/)
  assert.throws(() => closeTerminals('sandbox-exec -p (version 1)', undefined), /unknown form/)
  assert.deepEqual(['ttys003 \n', '??\n', '', 'pts/3'].map(parseTerminal), [
    '/dev/ttys003',
    ...Array(3).fill(undefined),
  ])
})

test('in the folder for temporary files a project can be made, with all its names', async t => {
  const sockets = fs.realpathSync(createScratchFolder(t))
  const before = process.cwd()
  t.after(() => process.chdir(before))
  const listClosed = async () => {
    const profile = await buildProfile('check', { tempFolder: path.join(sockets, 't') })
    const patterns = [...profile.matchAll(/\(regex ("(?:[^"\\]|\\.)*")\)/g)].map(
      ([, text = '']) => new RegExp(JSON.parse(text)),
    )
    return ['.git/config', '.mcp.json', '.bashrc', '.vscode/x'].filter(name =>
      patterns.some(pattern => pattern.test(path.join(sockets, 't/project', name))),
    )
  }
  process.chdir(sockets)
  assert.notDeepEqual(await listClosed(), [])
  enterEmptyFolder(sockets)
  assert.deepEqual(await listClosed(), [])
})

test('without a network the variables of the proxy are gone, and with one they stay', async () => {
  const run = async (role: SandboxRole, allowedHosts: string[], names: string[]) => {
    const policy = buildPolicy(role, { folder: '/', tempFolder: '/private/tmp/x', allowedHosts })
    const print = names.map(name => `echo "$${name}"`).join('; ')
    const script = buildInnerScript(policy, ['/bin/sh', '-c', print], '/private/tmp/x', 'darwin')
    const env = { ...Object.fromEntries(names.map(name => [name, 'set'])), PATH: process.env['PATH'] ?? '' }
    const moreFiles = { stdio: ['ignore' as const, 'pipe' as const], read: () => undefined }
    const { stdout } = await runProgram('/bin/sh', ['-c', script], { env, moreFiles }) // In a group of its own.
    return stdout.split('\n').slice(0, names.length)
  }
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']
  assert.deepEqual(await run('check', [], proxies), Array(6).fill(''))
  assert.deepEqual(await run('setup', [], proxies), Array(6).fill('set'))
  assert.deepEqual(await run('code', ['h:1'], proxies), Array(6).fill('set'))
  const others = ['JAVA_TOOL_OPTIONS', 'CLAUDE_CODE_TMPDIR']
  const ipv4 = '-Djava.net.preferIPv4Stack=true'
  assert.deepEqual(await run('check', [], others), [ipv4, 'set'])
  assert.deepEqual(await run('code', ['h:1'], others), [ipv4, '/private/tmp/x'])
  assert.deepEqual(await run('setup', [], others), ['set', 'set'])
  assert.deepEqual(await run('commit', [], others), ['', 'set'])
})
