import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram } from '#host/exec.ts'
import { checkLiveness, describePlace, identify, readPlace } from '#host/process'
import { identifyLinuxMachine, locate, parsePlatformUuid, requireAnswer } from '#host/process/place.ts'
import { whyNotLinux } from '../../fixtures/skip-reasons.ts'

const bootId = 'boot-1'
const here = { hostName: 'desk', machine: 'a', pidNamespace: 'pid:[1]' }
const at = (changes: Partial<typeof here>, boot = bootId) => ({ bootId: boot, place: { ...here, ...changes } })

test('a process is here, of an earlier boot, or elsewhere', () => {
  const cases = [
    ['here', at({})],
    ['here', at({ hostName: 'renamed', machine: 'b' })], // A boot belongs to one machine, whatever it is called.
    ['elsewhere', at({ pidNamespace: 'pid:[2]' })],
    ['an earlier boot', at({ pidNamespace: 'pid:[2]' }, 'boot-0')],
    ['elsewhere', at({ machine: 'b' }, 'boot-0')],
    ['an earlier boot', at({ hostName: 'renamed' }, 'boot-0')],
    ['here', { bootId }],
    ['an earlier boot', { bootId: 'boot-0' }],
  ] as const
  for (const [expected, start] of cases) assert.equal(locate(start, at({})), expected, JSON.stringify(start))
  assert.equal(describePlace({ ...here, hostName: 'attic', machine: 'b' }, here), 'attic')
  assert.equal(describePlace({ ...here, pidNamespace: 'pid:[2]' }, here), 'another container of desk')
})

test('a machine with an id may change its name, and one without an id is not known after a reboot', () => {
  const identifyMachine = (id: string, hostName: string, pidNamespace = 'pid:[4026531836]') =>
    identifyLinuxMachine(id, { hostName, pidNamespace })
  assert.equal(identifyMachine('id', 'desk'), identifyMachine('id', 'renamed'))
  const inContainer = (hostName: string) => identifyMachine('id', hostName, 'pid:[4026532001]')
  assert.equal(new Set([identifyMachine('id', 'desk'), inContainer('desk'), inContainer('other')]).size, 3)
  assert.equal(identifyMachine('', 'desk'), undefined)
  const unknown = { ...here, machine: '' }
  assert.equal(locate({ bootId: 'boot-0', place: unknown }, { bootId, place: unknown }), 'elsewhere')
  assert.equal(locate({ bootId, place: unknown }, { bootId, place: unknown }), 'here')
})

test('a process of another pid namespace is elsewhere, also when its pid exists here', {
  skip: whyNotLinux,
}, async t => {
  const script = `import { identify } from '#host/process'; console.log(JSON.stringify(await identify(process.pid)))`
  const node = [process.execPath, '--input-type=module', '-e', script]
  const run = await runProgram('unshare', ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', ...node])
  if (run.exitCode !== 0) return t.skip(`no namespaces here: ${run.stderr.trim()}`)
  const inside = JSON.parse(run.stdout)
  assert.equal(await checkLiveness(inside), 'elsewhere')
  assert.equal(await checkLiveness({ ...inside, pid: process.pid }), 'elsewhere')
  const self = (await identify(process.pid)) ?? assert.fail()
  assert.equal(await checkLiveness(self), 'alive')
  assert.match(readPlace().machine, /^[0-9a-f]{16}$/)
})

test('the id of a Mac is read from ioreg', () => {
  const recorded = `+-o J314sAP  <class IOPlatformExpertDevice, id 0x100000219, registered, matched, active, busy 0 (45093 ms), retain 38>
    {
      "manufacturer" = <"Apple Inc.">
      "IOPlatformUUID" = "4C3B2A19-0F5E-5D6C-8B7A-1234567890AB"
      "IOPlatformSerialNumber" = "C02XXXXXXXXX"
    }`
  assert.equal(parsePlatformUuid(recorded), '4C3B2A19-0F5E-5D6C-8B7A-1234567890AB')
  assert.equal(parsePlatformUuid(''), '')
  assert.equal(requireAnswer('id', '/usr/sbin/ioreg'), 'id')
  assert.throws(() => requireAnswer('', '/usr/sbin/ioreg'), { exitCode: 6, message: /^\/usr\/sbin\/ioreg does not/ })
})
