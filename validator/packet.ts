import { createHash, randomBytes, randomInt } from 'node:crypto'
import { z } from 'zod'
import { DispatchError, exits, oneLine, secretsIn, withheldWords, withoutSecrets } from '../host/index.ts'
import type { Contract, ContractClause, EvidenceRecord, Outcome } from '../session/index.ts'
import { bare, capped, withoutDiffs, withoutFences } from './claim.ts'
import { type Leaks, leaksIn, type Source, withheldLine, withhold } from './leak.ts'
import { type Canary, evidenceIdsOf, headIdsOf, listingId, render, type Said } from './render.ts'

/** What our own runner or git says of one clause, and the records that it rests on. */
export interface Gate {
  clause: ContractClause
  gate: Outcome | 'kept' | 'broken' | 'none'
  /** Why, in words: `exit 1, expected 0`. */
  because: string
  base?: Outcome
  /** What is to be said of how it was shown: by a file that the work itself changed. */
  remark?: string
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
  /** Exact values of secrets, for the scan only; what has the form of one is found without. */
  held?: readonly string[]
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

/** The packet would have told the judge something of the source, or a secret. The caller's verdict is INCONCLUSIVE. */
export class Leak extends DispatchError {
  constructor(what: string) {
    super(`leak: the packet for the judge still held ${what}`, {
      exit: exits.inconclusive,
      remedy: 'This is a defect of ours: nothing was sent. Please report it.',
    })
    this.name = 'Leak'
  }
}

/**
 * Make the packet: contract, evidence, listing and reports, nothing of the source and no secret, also not one that the
 * contract itself names. Throws `Leak` rather than leak.
 */
export function buildPacket(input: PacketInput): Packet {
  const { held = [] } = input
  const canary = canaryFor(input.contract)
  const fence = randomBytes(16).toString('hex')
  const said: string[] = []
  const told = render(input, canary, fence, text => {
    said.push(bare(text.slice(0, readBytes)))
    return ''
  })
  const leaks = leaksIn(said, input.sources, told)
  let withheld = 0
  const rendered = render(input, canary, fence, (text, kind) => {
    const shown = show(text, kind, { leaks, held })
    withheld += shown.withheld
    return shown.text
  })
  const { text: packet, withheld: more } = withoutSecrets(rendered, held)
  refuseSecrets(packet, held)
  refuseLeak(packet, input.sources, [told, ...withheldWords].join('\n'))
  const evidenceIds = [...input.gates.flatMap(evidenceIdsOf), listingId]
  return {
    packet,
    sha256: createHash('sha256').update(packet).digest('hex'),
    withheld: withheld + more,
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
  if (lines + words > 0) throw new Leak(`${lines} lines and ${words} words of the source`)
}

/** Search a finished packet once more, and throw `Leak` when it holds anything that looks like a secret, or a held one. */
export function refuseSecrets(packet: string, held: readonly string[]): void {
  const { length } = secretsIn(packet, held)
  if (length > 0) throw new Leak(`${length} ${length === 1 ? 'secret' : 'secrets'}`)
}

// --- internal ---

const reportBytes = 8 * 1024
const readBytes = 256 * 1024

/** What is looked for in somebody else's words. */
interface Sought {
  leaks: Leaks
  held: readonly string[]
}

/** Somebody else's words as they may be shown: nothing invisible, no code, no secret, nothing of the sources, not too much. */
function show(text: string, kind: Said, sought: Sought): { text: string; withheld: number } {
  const plain = bare(text.slice(0, readBytes))
  const unfenced = kind === 'report' ? withoutFences(plain) : { text: plain, withheld: 0 }
  const undiffed = withoutDiffs(unfenced.text)
  const clean = withoutSought(undiffed.text, sought)
  return {
    text: kind === 'note' ? oneLine(clean.text, 400) : capped(clean.text, reportBytes),
    withheld: unfenced.withheld + undiffed.withheld + clean.withheld,
  }
}

/**
 * Without secrets and what repeats the source. Lines of the source are looked for in the text as it was: one that lost a secret
 * would no longer be known. Both leave the number of lines as it is.
 */
function withoutSought(text: string, { leaks, held }: Sought): { text: string; withheld: number } {
  const secret = withoutSecrets(text, held)
  const marked = withhold(text, leaks)
  if (secret.withheld === 0) return marked
  const lines = marked.text.split('\n')
  const kept = secret.text.split('\n').map((line, at) => (lines[at] === withheldLine ? withheldLine : line))
  const clean = withhold(kept.join('\n'), leaks)
  return { text: clean.text, withheld: clean.withheld + secret.withheld }
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
