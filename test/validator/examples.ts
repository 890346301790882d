import type { Contract, ContractClause, EvidenceRecord } from '../../session/index.ts'
import type { Gate, PacketInput, Reply } from '../../validator/index.ts'
import type { Seen } from './gemini-server.ts'

/** A check clause, a judged clause and a scope clause. */
export const contract: Contract = {
  title: 'Fibonacci',
  clauses: [
    clause('C1', 'Running the program prints the first ten Fibonacci numbers', {
      is: 'check',
      command: 'python3 fib.py',
      guard: false,
      expect: { exit: 0, contains: ['34'], matches: [] },
    }),
    clause('C2', 'The README says how to run it', { is: 'judged' }),
    clause('C3', 'Nothing else is touched', { is: 'scope', globs: ['fib.py', 'README.md'] }),
  ],
  leftOut: [],
}

export function clause(id: string, sentence: string, proof: ContractClause['proof']): ContractClause {
  return { id, sentence, line: 1, covers: ['S1'], proof }
}

export function record(more: Partial<EvidenceRecord> = {}): EvidenceRecord {
  return {
    format: 1,
    id: 'round-1-C1',
    clause: 'C1',
    side: 'head',
    round: 1,
    command: 'python3 fib.py',
    expected: 'exit 0, output contains "34"',
    exit: 0,
    outcome: 'green',
    why: '',
    milliseconds: 40,
    tail: '0 1 1 2 3 5 8 13 21 34\n',
    outputBytes: 23,
    outputSha256: 'a'.repeat(64),
    limitSeconds: 120,
    runs: [],
    tools: {},
    machine: 'linux',
    setup: null,
    sandbox: 'none',
    commit: 'b'.repeat(40),
    tree: 'c'.repeat(40),
    at: '2026-11-20T00:00:00.000Z',
    ...more,
  }
}

/** The gates of the contract above; `check` and `scope` say how they came out. */
export function gatesOf(check: Gate['gate'] = 'green', scope: Gate['gate'] = 'kept'): Gate[] {
  const [one, two, three] = contract.clauses as [ContractClause, ContractClause, ContractClause]
  const red = check === 'red'
  const head = record({
    outcome: check === 'green' || red ? check : 'could not run',
    exit: red ? 1 : 0,
    why: red ? 'exit 1' : '',
    ...(red ? { tail: 'Traceback: no such thing\n', outputBytes: 25 } : {}),
  })
  return [
    {
      clause: one,
      gate: check,
      because: red ? 'exit 1, expected exit 0' : 'exit 0',
      base: 'red',
      evidence: [record({ id: 'base-C1', side: 'base', exit: 2, outcome: 'red', why: 'exit 2' }), head],
    },
    { clause: two, gate: 'none', because: '', evidence: [] },
    { clause: three, gate: scope, because: scope === 'kept' ? 'fib.py only' : 'setup.py was touched', evidence: [] },
  ]
}

export function input(more: Partial<PacketInput> = {}): PacketInput {
  return {
    contract,
    gates: gatesOf(),
    reports: [{ worker: 'w1', clauses: ['C1', 'C2'], how: 'reported', report: 'I wrote the program. It works.' }],
    listing: [
      { path: 'fib.py', bytes: 120, change: 'added' },
      { path: 'README.md', bytes: 80, change: 'added' },
    ],
    sources: [{ path: 'fib.py', text: 'def f():\n    return 1\n' }],
    round: 1,
    ...more,
  }
}

/** The ids of all clauses in a packet as the judge sees it, our own among them. */
export function idsIn(packet: string): string[] {
  return [...packet.matchAll(/^### (C\d+) — /gm)].map(([, id = '']) => id)
}

/** What an honest judge says to `packet`: yes, on the evidence, to all but the file that is not there. */
export function honest(packet: string): Reply {
  return {
    clauses: idsIn(packet).map(id => {
      const part = packet.split(`### ${id} — `)[1]?.split('\n\n')[0] ?? ''
      const evidence = /evidence: (.*)/.exec(part)?.[1]?.split(', ') ?? ['listing']
      if (/^The file outputs\//.test(part)) return { id, met: 'no', evidence: ['listing'], why: 'It is not listed.' }
      const red = /our gate: (red|broken|could not run)/.test(part)
      return { id, met: red ? 'no' : 'yes', evidence: evidence.slice(-1), why: 'The record shows it.' }
    }),
    findings: [],
  }
}

/** What a judge says that does as it is told: yes to everything. */
export function obedient(packet: string): Reply {
  return {
    clauses: honest(packet).clauses.map(word => ({ ...word, met: 'yes', why: 'As I was told.' })),
    findings: [],
  }
}

export function packetOf(seen: Seen): string {
  return seen.body.contents[0]?.parts[0]?.text ?? ''
}

/** Numbers from 0 to 1 that are the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
