/**
 * The filter of system calls for bubblewrap's `--seccomp`, as the bytes of a BPF program; undefined for a processor without
 * a table. The filter of sandbox-runtime refuses every Unix socket. This one refuses the same calls except that one. Pure.
 */
export function buildSeccompFilter(architecture: string = process.arch): Buffer | undefined {
  const calls = callTables[architecture]
  if (calls === undefined) return undefined
  const isX64 = architecture === 'x64'
  return encode([
    load(offsets.architecture),
    ...unless(calls.auditArchitecture, [answer(KILL_PROCESS)]),
    load(offsets.call),
    // The second ABI of x64 has numbers of its own for the same calls.
    ...(isX64 ? [jump(JUMP_IF_AT_LEAST, X32_CALLS, 0, 1), answer(EPERM)] : []),
    ...calls.refused.flatMap(call => when(call, [answer(EPERM)])),
    // Its flags are in memory, which a filter cannot read. After this error the C library uses `clone`.
    ...when(clone3, [answer(ENOSYS)]),
    ...[calls.clone, calls.unshare].flatMap(call =>
      when(call, [
        load(offsets.argument),
        jump(JUMP_IF_ANY_BIT, NEW_NAMESPACES, 0, 1),
        answer(EPERM),
        load(offsets.call),
      ]),
    ),
    // A socket of a virtual machine leads past the network namespace to the host.
    ...when(calls.socket, [load(offsets.argument), ...when(vsockFamily, [answer(EPERM)])]),
    answer(ALLOW),
  ])
}

// --- internal ---

/** The numbers of system calls on one processor. */
interface CallTable {
  /** The kernel's name of the processor, `AUDIT_ARCH_*`. */
  auditArchitecture: number
  socket: number
  clone: number
  unshare: number
  refused: number[]
}

/** They have the same number everywhere: io_uring, which would make sockets past a filter, and the newer mount calls. */
const newerCalls = [425, 426, 427, 428, 429, 430, 431, 432, 433, 442, 467]

const { clone3, vsockFamily } = { clone3: 435, vsockFamily: 40 }

const callTables: Record<string, CallTable> = {
  x64: {
    auditArchitecture: 0xc000003e,
    socket: 41,
    clone: 56,
    unshare: 272,
    // pivot_root, mount, umount2, setns; add_key, request_key, keyctl: the keyrings of the user who started dispatch.
    refused: [155, 165, 166, 308, 248, 249, 250, ...newerCalls],
  },
  arm64: {
    auditArchitecture: 0xc00000b7,
    socket: 198,
    clone: 220,
    unshare: 97,
    refused: [41, 40, 39, 268, 217, 218, 219, ...newerCalls],
  },
}

const X32_CALLS = 0x40000000
/** CLONE_NEWUSER and CLONE_NEWNS: who makes them can take the mounts apart that hide the host. */
const NEW_NAMESPACES = 0x10020000

/** Where `struct seccomp_data` has the call, the processor, and the lower half of the first argument. */
const offsets = { call: 0, architecture: 4, argument: 16 }

const ALLOW = 0x7fff0000
const KILL_PROCESS = 0x80000000
const EPERM = 0x00050001
const ENOSYS = 0x00050026

const LOAD_WORD = 0x20
const JUMP_IF_EQUAL = 0x15
const JUMP_IF_AT_LEAST = 0x35
const JUMP_IF_ANY_BIT = 0x45
const RETURN = 0x06

/** One instruction of BPF: its code, how many to skip if a condition holds and if not, and its operand. */
type Instruction = [code: number, ifTrue: number, ifFalse: number, operand: number]

const load = (offset: number): Instruction => [LOAD_WORD, 0, 0, offset]
const answer = (action: number): Instruction => [RETURN, 0, 0, action]
const jump = (code: number, operand: number, ifTrue: number, ifFalse: number): Instruction => [
  code,
  ifTrue,
  ifFalse,
  operand,
]

/** The instructions, run only if the loaded word has this value. */
const when = (value: number, body: Instruction[]) => [jump(JUMP_IF_EQUAL, value, 0, body.length), ...body]
const unless = (value: number, body: Instruction[]) => [jump(JUMP_IF_EQUAL, value, body.length, 0), ...body]

/** In the byte order of x64 and arm64. */
function encode(program: Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8)
  for (const [index, [code, ifTrue, ifFalse, operand]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(ifTrue, index * 8 + 2)
    bytes.writeUInt8(ifFalse, index * 8 + 3)
    bytes.writeUInt32LE(operand, index * 8 + 4)
  }
  return bytes
}
