import type { Contract, ContractClause, EvidenceRecord } from '../../session/index.ts'
import type { Gate, JudgeReply, PacketInput } from '../../validator/index.ts'
import type { GeminiRequest } from './gemini-server.ts'

/** A check clause, a judged clause and a scope clause. */
export const exampleContract: Contract = {
  title: 'Fibonacci',
  clauses: [
    createClause('C1', 'Running the program prints the first ten Fibonacci numbers', {
      kind: 'check',
      command: 'python3 fib.py',
      isGuard: false,
      expectation: { exitCode: 0, outputContains: ['34'], outputMatches: [] },
    }),
    createClause('C2', 'The README says how to run it', { kind: 'judged' }),
    createClause('C3', 'Nothing else is touched', { kind: 'scope', globs: ['fib.py', 'README.md'] }),
  ],
  exclusions: [],
}

export function createClause(id: string, sentence: string, proof: ContractClause['proof']): ContractClause {
  return { id, sentence, line: 1, covers: ['S1'], proof }
}

export function createEvidenceRecord(more: Partial<EvidenceRecord> = {}): EvidenceRecord {
  return {
    format: 1,
    id: 'round-1-C1',
    clauseId: 'C1',
    side: 'head',
    round: 1,
    command: 'python3 fib.py',
    expected: 'exit 0, output contains "34"',
    exitCode: 0,
    outcome: 'green',
    reason: '',
    milliseconds: 40,
    outputTail: '0 1 1 2 3 5 8 13 21 34\n',
    outputBytes: 23,
    outputSha256: 'a'.repeat(64),
    timeoutSeconds: 120,
    runs: [],
    toolVersions: {},
    machine: 'linux',
    dependenciesKey: null,
    sandbox: 'none',
    commit: 'b'.repeat(40),
    tree: 'c'.repeat(40),
    time: '2026-11-20T00:00:00.000Z',
    ...more,
  }
}

/** The gates of the contract above; `check` and `scope` say how they came out. */
export function createGates(check: Gate['gate'] = 'green', scope: Gate['gate'] = 'kept'): Gate[] {
  const [one, two, three] = exampleContract.clauses as [ContractClause, ContractClause, ContractClause]
  const red = check === 'red'
  const head = createEvidenceRecord({
    outcome: check === 'green' || red ? check : 'could not run',
    exitCode: red ? 1 : 0,
    reason: red ? 'exit 1' : '',
    ...(red ? { outputTail: 'Traceback: no such thing\n', outputBytes: 25 } : {}),
  })
  return [
    {
      clause: one,
      gate: check,
      reason: red ? 'exit 1, expected exit 0' : 'exit 0',
      base: 'red',
      evidence: [
        createEvidenceRecord({ id: 'base-C1', side: 'base', exitCode: 2, outcome: 'red', reason: 'exit 2' }),
        head,
      ],
    },
    { clause: two, gate: 'none', reason: '', evidence: [] },
    { clause: three, gate: scope, reason: scope === 'kept' ? 'fib.py only' : 'setup.py was touched', evidence: [] },
  ]
}

export function createPacketInput(more: Partial<PacketInput> = {}): PacketInput {
  return {
    contract: exampleContract,
    gates: createGates(),
    reports: [{ worker: 'w1', clauses: ['C1', 'C2'], how: 'reported', report: 'I wrote the program. It works.' }],
    listing: [
      { path: 'fib.py', sizeBytes: 120, change: 'added' },
      { path: 'README.md', sizeBytes: 80, change: 'added' },
    ],
    sources: [{ path: 'fib.py', text: 'def f():\n    return 1\n' }],
    round: 1,
    ...more,
  }
}

/** The ids of all clauses in a packet as the judge sees it, our own among them. */
export function listPacketClauseIds(packet: string): string[] {
  return [...packet.matchAll(/^### (C\d+) — /gm)].map(([, id = '']) => id)
}

/** What an honest judge says to `packet`: yes, on the evidence, to all but the file that is not there. */
export function answerHonestly(packet: string): JudgeReply {
  return {
    clauses: listPacketClauseIds(packet).map(id => {
      const part = packet.split(`### ${id} — `)[1]?.split('\n\n')[0] ?? ''
      const evidence = /evidence: (.*)/.exec(part)?.[1]?.split(', ') ?? ['listing']
      if (/^The file outputs\//.test(part)) return { id, met: 'no', evidence: ['listing'], reason: 'It is not listed.' }
      const red = /our gate: (red|broken|could not run)/.test(part)
      return { id, met: red ? 'no' : 'yes', evidence: evidence.slice(-1), reason: 'The record shows it.' }
    }),
    findings: [],
  }
}

/** What a judge says that does as it is told: yes to everything. */
export function answerObediently(packet: string): JudgeReply {
  return {
    clauses: answerHonestly(packet).clauses.map(word => ({ ...word, met: 'yes', reason: 'As I was told.' })),
    findings: [],
  }
}

export function readPacketText(seen: GeminiRequest): string {
  return seen.body.contents[0]?.parts[0]?.text ?? ''
}

/** Numbers from 0 to 1 that are the same in every run. */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
