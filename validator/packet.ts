import { createHash, randomBytes, randomInt } from 'node:crypto'
import { z } from 'zod'
import { DispatchError, exits, oneLine } from '../host/index.ts'
import type { Contract, ContractClause, EvidenceRecord, Outcome } from '../session/index.ts'
import { bare, capped, withoutDiffs, withoutFences } from './claim.ts'
import { type Leaks, leaksIn, type Source, withhold } from './leak.ts'
import { type Canary, evidenceIdsOf, headIdsOf, listingId, render, type Said } from './render.ts'

/** What our own runner or git says of one clause, and the records that it rests on. */
export interface Gate {
  clause: ContractClause
  gate: Outcome | 'kept' | 'broken' | 'none'
  /** Why, in words: `exit 1, expected 0`. */
  because: string
  base?: Outcome
  evidence: EvidenceRecord[]
}

/** All that a packet is made of. */
export interface PacketInput {
  contract: Contract
  gates: Gate[]
  reports: { worker: string; clauses: string[]; how: string; report: string }[]
  listing: { path: string; bytes: number; change: 'added' | 'changed' | 'removed' | 'kept' }[]
  /** For the leak scan only: never sent. */
  sources: Iterable<Source>
  round: number
}

/** What the judge gets (`packet`), and what its reply is held against. This is also what `bin/judge` reads. */
export const Packet = z.object({
  packet: z.string(),
  sha256: z.string(),
  /** How many pieces were withheld from reports and outputs. */
  withheld: z.number(),
  clauseIds: z.array(z.string()),
  evidenceIds: z.array(z.string()),
  /** For each clause: `yes` must cite one of these. */
  mustCite: z.record(z.string(), z.array(z.string())),
  /** One more clause, which cannot be true: it names a file that is not there. */
  canaryId: z.string(),
  canaryFile: z.string(),
})

export type Packet = z.infer<typeof Packet>

/** The packet would have told the judge something of the source. The caller's verdict is INCONCLUSIVE. */
export class Leak extends DispatchError {
  constructor(lines: number, words: number) {
    super(`leak: the packet for the judge still held ${lines} lines and ${words} words of the source`, {
      exit: exits.inconclusive,
      remedy: 'This is a defect of ours: nothing was sent. Please report it.',
    })
    this.name = 'Leak'
  }
}

/** Make the packet: contract, evidence, listing and reports, and nothing of the source. Throws `Leak` rather than leak. */
export function buildPacket(input: PacketInput): Packet {
  const canary = canaryFor(input.contract)
  const fence = randomBytes(16).toString('hex')
  const said: string[] = []
  const told = render(input, canary, fence, text => {
    said.push(bare(text.slice(0, readBytes)))
    return ''
  })
  const leaks = leaksIn(said, input.sources, told)
  let withheld = 0
  const packet = render(input, canary, fence, (text, kind) => {
    const shown = show(text, kind, leaks)
    withheld += shown.withheld
    return shown.text
  })
  refuseLeak(packet, input.sources, told)
  const evidenceIds = [...input.gates.flatMap(evidenceIdsOf), listingId]
  return {
    packet,
    sha256: createHash('sha256').update(packet).digest('hex'),
    withheld,
    clauseIds: input.contract.clauses.map(clause => clause.id),
    evidenceIds,
    mustCite: Object.fromEntries(
      input.contract.clauses.map(({ id }) => {
        const own = input.gates.filter(({ clause }) => clause.id === id).flatMap(headIdsOf)
        return [id, own.length > 0 ? own : evidenceIds]
      }),
    ),
    canaryId: canary.id,
    canaryFile: canary.file,
  }
}

/** Search a finished packet once more, and throw `Leak` when it holds anything of the sources that was not told anyway. */
export function refuseLeak(packet: string, sources: Iterable<Source>, told: string): void {
  const leaks = leaksIn([packet], sources, told)
  const lines = leaks.lines.size + leaks.runs.length
  const words = leaks.pieces.size + leaks.words.size
  if (lines + words > 0) throw new Leak(lines, words)
}

// --- internal ---

const reportBytes = 8 * 1024
const readBytes = 256 * 1024

/** Somebody else's words as they may be shown: nothing invisible, no code, nothing of the sources, and not too much. */
function show(text: string, kind: Said, leaks: Leaks): { text: string; withheld: number } {
  const plain = bare(text.slice(0, readBytes))
  const unfenced = kind === 'report' ? withoutFences(plain) : { text: plain, withheld: 0 }
  const undiffed = withoutDiffs(unfenced.text)
  const clean = withhold(undiffed.text, leaks)
  return {
    text: kind === 'note' ? oneLine(clean.text, 400) : capped(clean.text, reportBytes),
    withheld: unfenced.withheld + undiffed.withheld + clean.withheld,
  }
}

/** A clause that looks like the others and cannot be true. Who says yes to it says yes to anything. */
function canaryFor(contract: Contract): Canary {
  const highest = Math.max(0, ...contract.clauses.map(clause => Number(clause.id.slice(1)) || 0))
  const file = `outputs/${randomBytes(8).toString('hex')}.txt`
  return {
    id: `C${highest + randomInt(1, 9)}`,
    file,
    sentence: `The file ${file} exists and holds at least one line`,
    place: randomInt(0, contract.clauses.length + 1),
  }
}
