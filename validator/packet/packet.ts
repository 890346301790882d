import { createHash, randomBytes, randomInt } from 'node:crypto'
import { z } from 'zod'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findSecrets, redactionLabels, redactSecrets } from '#host/secrets'
import { toOneLine } from '#host/text.ts'
import type { Contract } from '#session/contract'
import type { PacketInput } from './input.ts'
import { findLeaks, type Leaks, redactLeaks, type SourceFile, withheldLine } from './leak-scan.ts'
import { stripCodeFences, stripControlCharacters, stripDiffs, truncateText } from './strip-code.ts'
import { type Canary, listEvidenceIds, listHeadEvidenceIds, listingId, renderPacket, type TextKind } from './text.ts'
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
export class PacketLeakError extends DispatchError {
  constructor(what: string) {
    super(`leak: the packet for the judge still held ${what}`, {
      exitCode: exitCodes.inconclusive,
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
  const { knownSecrets = [] } = input
  const canary = createCanary(input.contract)
  const fence = randomBytes(16).toString('hex')
  const quotedTexts: string[] = []
  const disclosed = renderPacket(input, canary, fence, text => {
    quotedTexts.push(stripControlCharacters(text.slice(0, MAX_INPUT_BYTES)))
    return ''
  })
  const leaks = findLeaks(quotedTexts, input.sources, disclosed)
  let withheld = 0
  const rendered = renderPacket(input, canary, fence, (text, kind) => {
    const shown = redactText(text, kind, { leaks, knownSecrets })
    withheld += shown.withheld
    return shown.text
  })
  const { text: packet, redactionCount: more } = redactSecrets(rendered, knownSecrets)
  assertNoSecrets(packet, knownSecrets)
  assertNoLeak(packet, input.sources, [disclosed, ...redactionLabels].join('\n'))
  const evidenceIds = [...input.gates.flatMap(listEvidenceIds), listingId]
  return {
    packet,
    sha256: createHash('sha256').update(packet).digest('hex'),
    withheld: withheld + more,
    clauseIds: input.contract.clauses.map(clause => clause.id),
    evidenceIds,
    mustCite: Object.fromEntries(
      input.contract.clauses.map(({ id }) => {
        const own = input.gates.filter(({ clause }) => clause.id === id).flatMap(listHeadEvidenceIds)
        return [id, own.length > 0 ? own : evidenceIds]
      }),
    ),
    canaryId: canary.id,
    canaryFile: canary.file,
  }
}

/** Search a finished packet once more, and throw `Leak` when it holds anything of the sources that was not told anyway. */
export function assertNoLeak(packet: string, sources: Iterable<SourceFile>, disclosed: string): void {
  const leaks = findLeaks([packet], sources, disclosed)
  const lines = leaks.lines.size + leaks.runs.length
  const words = leaks.fragments.size + leaks.words.size
  if (lines + words > 0) throw new PacketLeakError(`${lines} lines and ${words} words of the source`)
}

/** Search a finished packet once more, and throw `Leak` when it holds anything that looks like a secret, or a held one. */
export function assertNoSecrets(packet: string, knownSecrets: readonly string[]): void {
  const { length } = findSecrets(packet, knownSecrets)
  if (length > 0) throw new PacketLeakError(`${length} ${length === 1 ? 'secret' : 'secrets'}`)
}

// --- internal ---

const MAX_REPORT_BYTES = 8 * 1024
const MAX_INPUT_BYTES = 256 * 1024

/** What is looked for in somebody else's words. */
interface RedactionTargets {
  leaks: Leaks
  knownSecrets: readonly string[]
}

/** Somebody else's words as they may be shown: nothing invisible, no code, no secret, nothing of the sources, not too much. */
function redactText(text: string, kind: TextKind, sought: RedactionTargets): { text: string; withheld: number } {
  const plain = stripControlCharacters(text.slice(0, MAX_INPUT_BYTES))
  const unfenced = kind === 'report' ? stripCodeFences(plain) : { text: plain, withheld: 0 }
  const undiffed = stripDiffs(unfenced.text)
  const clean = removeTargets(undiffed.text, sought)
  return {
    text: kind === 'note' ? toOneLine(clean.text, 400) : truncateText(clean.text, MAX_REPORT_BYTES),
    withheld: unfenced.withheld + undiffed.withheld + clean.withheld,
  }
}

/**
 * Without secrets and what repeats the source. Lines of the source are looked for in the text as it was: one that lost a secret
 * would no longer be known. Both leave the number of lines as it is.
 */
function removeTargets(text: string, { leaks, knownSecrets }: RedactionTargets): { text: string; withheld: number } {
  const secret = redactSecrets(text, knownSecrets)
  const marked = redactLeaks(text, leaks)
  if (secret.redactionCount === 0) return marked
  const lines = marked.text.split('\n')
  const kept = secret.text.split('\n').map((line, at) => (lines[at] === withheldLine ? withheldLine : line))
  const clean = redactLeaks(kept.join('\n'), leaks)
  return { text: clean.text, withheld: clean.withheld + secret.redactionCount }
}

/** A clause that looks like the others and cannot be true. Who says yes to it says yes to anything. */
function createCanary(contract: Contract): Canary {
  const highest = Math.max(0, ...contract.clauses.map(clause => Number(clause.id.slice(1)) || 0))
  const file = `outputs/${randomBytes(8).toString('hex')}.txt`
  return {
    id: `C${highest + randomInt(1, 9)}`,
    file,
    sentence: `The file ${file} exists and holds at least one line`,
    position: randomInt(0, contract.clauses.length + 1),
  }
}
