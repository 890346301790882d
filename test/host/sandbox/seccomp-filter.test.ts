import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildSeccompFilter } from '#host/sandbox/seccomp-filter.ts'

const ALLOW = 0x7fff0000
const KILL = 0x80000000
const EPERM = 0x00050001
const ENOSYS = 0x00050026
const architectures = { x64: 0xc000003e, arm64: 0xc00000b7, i386: 0x40000003 }

/** What the kernel would do with a call: runs the program as it does. */
function judge(filter: Buffer, call: { architecture: number; number: number; argument?: number }): number {
  const words = new Map([
    [0, call.number],
    [4, call.architecture],
    [16, call.argument ?? 0],
  ])
  let accumulator = 0
  for (let at = 0; ; at++) {
    const [code, operand] = [filter.readUInt16LE(at * 8), filter.readUInt32LE(at * 8 + 4)]
    const skip = (condition: boolean) => {
      at += filter.readUInt8(at * 8 + (condition ? 2 : 3))
    }
    if (code === 0x20) accumulator = words.get(operand) ?? assert.fail(`it loads ${operand}`)
    else if (code === 0x15) skip(accumulator === operand)
    else if (code === 0x35) skip(accumulator >= operand)
    else if (code === 0x45) skip((accumulator & operand) !== 0)
    else if (code === 0x06) return operand
    else assert.fail(`instruction ${at} is ${code}`)
  }
}

/** Names and numbers from the kernel's tables. */
const calls = {
  x64: {
    socket: 41,
    clone: 56,
    unshare: 272,
    mount: 165,
    pivot_root: 155,
    umount2: 166,
    setns: 308,
    keyctl: 250,
    read: 0,
  },
  arm64: {
    socket: 198,
    clone: 220,
    unshare: 97,
    mount: 40,
    pivot_root: 41,
    umount2: 39,
    setns: 268,
    keyctl: 219,
    read: 63,
  },
}

for (const name of ['x64', 'arm64'] as const) {
  const filter = buildSeccompFilter(name) ?? assert.fail()
  const ask = (number: number, argument = 0) => judge(filter, { architecture: architectures[name], number, argument })
  const table = calls[name]

  test(`on ${name}, Unix and network sockets are allowed, those of a virtual machine are not`, () => {
    for (const family of [1, 2, 10, 16]) assert.equal(ask(table.socket, family), ALLOW)
    assert.equal(ask(table.socket, 40), EPERM)
  })

  test(`on ${name}, mounts, keyrings and io_uring are refused`, () => {
    for (const call of ['mount', 'pivot_root', 'umount2', 'setns', 'keyctl'] as const)
      assert.equal(ask(table[call]), EPERM, call)
    for (const number of [425, 426, 427, 428, 429, 442]) assert.equal(ask(number), EPERM, String(number))
    assert.equal(ask(table.read), ALLOW)
  })

  test(`on ${name}, processes and threads start, but not in a new user namespace`, () => {
    for (const call of [table.clone, table.unshare]) {
      assert.equal(ask(call, 0x11), ALLOW)
      assert.equal(ask(call, 0x003d0f00), ALLOW) // A thread of the C library.
      assert.equal(ask(call, 0x10000000 | 0x11), EPERM)
      assert.equal(ask(call, 0x00020000), EPERM)
    }
    assert.equal(ask(435), ENOSYS)
  })

  test(`on ${name}, a program for another processor is ended`, () => {
    assert.equal(judge(filter, { architecture: architectures.i386, number: table.read }), KILL)
  })
}

test('on x64, the calls of the second ABI are refused', () => {
  const filter = buildSeccompFilter('x64') ?? assert.fail()
  assert.equal(judge(filter, { architecture: architectures.x64, number: 0x40000000 + 41, argument: 40 }), EPERM)
})

test('a processor without a table has no filter', () => {
  assert.equal(buildSeccompFilter('riscv64'), undefined)
})
