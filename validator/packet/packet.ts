import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { DispatchError, exitCodes } from '#host/error.ts'
import { sha256 } from '#host/hash.ts'
import { findSecrets, redactionLabels, redactSecrets } from '#host/secrets'
import { formatCount, toOneLine } from '#host/text.ts'
import { createCanary } from './canary.ts'
import type { Gate, PacketInput } from './input.ts'
import { findLeaks, type Leaks, redactLeaks, type SourceFile, withheldLine } from './leak-scan.ts'
import { listEvidenceIds, listingId, renderPacket, type TextKind } from './render-packet.ts'
import { type StrippedText, stripCodeFences, stripControlCharacters, stripDiffs, truncateText } from './strip-code.ts'

const MAX_REPORT_BYTES = 8 * 1024
const MAX_INPUT_CHARS = 256 * 1024
const MAX_NOTE_CHARS = 400

/** What the judge gets (`packet`), and what its reply is checked against. It is also the input of `bin/processes/judge.ts`. */
export const Packet = z.object({
  packet: z.string(),
  sha256: z.string(),
  /** How many pieces were removed from reports and outputs. */
  withheld: z.number(),
  clauseIds: z.array(z.string()),
  evidenceIds: z.array(z.string()),
  /** For each clause: `yes` must cite one of these. They are from after the work. */
  mustCite: z.record(z.string(), z.array(z.string())),
  /** One more clause, which cannot be true: it names a file that does not exist. */
  canaryId: z.string(),
  canaryFile: z.string(),
})

export type Packet = z.infer<typeof Packet>

/** The packet would have shown the judge some of the source, or a secret. The verdict is then INCONCLUSIVE. */
export class PacketLeakError extends DispatchError {
  constructor(leaked: string) {
    super(`leak: the packet for the judge still contained ${leaked}`, {
      exitCode: exitCodes.inconclusive,
      remedy: 'Nothing was sent. This is a bug in dispatch: please report it.',
    })
    this.name = 'PacketLeakError'
  }
}

/**
 * Build the packet from contract, evidence, file listing and reports. It contains nothing of the source and no secret, not
 * even one that the contract names. Throws `PacketLeakError` rather than leak.
 */
export function buildPacket(input: PacketInput): Packet {
  const { knownSecrets = [] } = input
  const canary = createCanary(input.contract)
  const fence = randomBytes(16).toString('hex')
  const quotedTexts: string[] = []
  const disclosed = renderPacket(input, canary, fence, text => {
    quotedTexts.push(stripControlCharacters(text.slice(0, MAX_INPUT_CHARS)))
    return ''
  })
  const leaks = findLeaks(quotedTexts, input.sources, disclosed)
  let withheld = 0
  const rendered = renderPacket(input, canary, fence, (text, kind) => {
    const redacted = redactText(text, kind, { leaks, knownSecrets })
    withheld += redacted.withheld
    return redacted.text
  })
  const { text: packet, redactionCount } = redactSecrets(rendered, knownSecrets)
  assertNoSecrets(packet, knownSecrets)
  assertNoLeak(packet, input.sources, [disclosed, ...redactionLabels].join('\n'))
  const evidenceIds = [...input.gates.flatMap(listEvidenceIds), listingId]
  const idsAfterWork = [...input.gates.flatMap(listIdsAfterWork), listingId]
  return {
    packet,
    sha256: sha256(packet),
    withheld: withheld + redactionCount,
    clauseIds: input.contract.clauses.map(clause => clause.id),
    evidenceIds,
    mustCite: Object.fromEntries(
      input.contract.clauses.map(({ id }) => {
        const ownIds = input.gates.filter(({ clause }) => clause.id === id).flatMap(listIdsAfterWork)
        return [id, ownIds.length > 0 ? ownIds : idsAfterWork]
      }),
    ),
    canaryId: canary.id,
    canaryFile: canary.file,
  }
}

/** Scan a finished packet again. Throws `PacketLeakError` if it contains source that `disclosed` does not contain. */
export function assertNoLeak(packet: string, sources: Iterable<SourceFile>, disclosed: string): void {
  const leaks = findLeaks([packet], sources, disclosed)
  const lines = leaks.lines.size + leaks.runs.length
  const words = leaks.fragments.size + leaks.words.size
  if (lines + words > 0) throw new PacketLeakError(`${lines} lines and ${words} words of the source`)
}

/** Scan a finished packet again. Throws `PacketLeakError` if it contains a known secret, or something that looks like one. */
export function assertNoSecrets(packet: string, knownSecrets: readonly string[]): void {
  const { length } = findSecrets(packet, knownSecrets)
  if (length > 0) throw new PacketLeakError(formatCount(length, 'secret'))
}

// --- internal ---

/** What to remove from reports and outputs. */
interface RedactionTargets {
  leaks: Leaks
  knownSecrets: readonly string[]
}

function listIdsAfterWork(gate: Gate): string[] {
  return listEvidenceIds({ ...gate, evidence: gate.evidence.filter(({ side }) => side === 'head') })
}

/** A report or an output as the judge may see it: no invisible characters, no code, no secret, no source, and not too long. */
function redactText(text: string, kind: TextKind, targets: RedactionTargets): StrippedText {
  const plain = stripControlCharacters(text.slice(0, MAX_INPUT_CHARS))
  const unfenced = kind === 'report' ? stripCodeFences(plain) : { text: plain, withheld: 0 }
  const undiffed = stripDiffs(unfenced.text)
  const redacted = redactTargets(undiffed.text, targets)
  return {
    text: kind === 'note' ? toOneLine(redacted.text, MAX_NOTE_CHARS) : truncateText(redacted.text, MAX_REPORT_BYTES),
    withheld: unfenced.withheld + undiffed.withheld + redacted.withheld,
  }
}

/**
 * Remove secrets and what repeats the source. Lines of the source are searched for in the text as it was, because a line
 * that lost a secret would no longer be recognized. Both steps keep the number of lines.
 */
function redactTargets(text: string, { leaks, knownSecrets }: RedactionTargets): StrippedText {
  const withoutSecrets = redactSecrets(text, knownSecrets)
  const withoutLeaks = redactLeaks(text, leaks)
  if (withoutSecrets.redactionCount === 0) return withoutLeaks
  const lines = withoutLeaks.text.split('\n')
  const merged = withoutSecrets.text
    .split('\n')
    .map((line, index) => (lines[index] === withheldLine ? withheldLine : line))
  const redacted = redactLeaks(merged.join('\n'), leaks)
  return { text: redacted.text, withheld: redacted.withheld + withoutSecrets.redactionCount }
}
