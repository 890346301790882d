import { EvidenceRecord } from '../evidence/evidence.ts'
import { LandingRecord } from '../evidence/landing.ts'
import type { Audit, IndexedEvent } from './audit.ts'
import { findTree } from './isolated-git.ts'
import { MAX_BYTES, parseJsonBytes, readCapped } from './read-capped.ts'

/** Check that what was pushed is what was checked before, and that each record of a landing is the one in the log. */
export async function auditLanding(audit: Audit): Promise<void> {
  const checked = audit.selectEvents('landing.checked')
  for (const event of checked) await auditRecord(audit, event)
  for (const { number, branch, commit, tree, index } of audit.selectEvents('landing.pushed')) {
    const isKnown = checked.some(
      event =>
        event.index < index &&
        event.result === 'ready' &&
        event.number === number &&
        event.branch === branch &&
        event.commit === commit &&
        event.tree === tree,
    )
    if (!isKnown)
      audit.addDamage(
        audit.paths.events,
        `says that ${commit.slice(0, 10)} landed, which was not checked before`,
        'What is on the branch may never have been proved.',
      )
  }
}

// --- internal ---

const NOT_PROVED = 'It cannot be shown any more that what landed was proved.'

/** A record that dispatch may have written. */
const recordIdPattern = /^landing-\d+-[\w.-]+$/

async function auditRecord(audit: Audit, event: IndexedEvent<'landing.checked'>): Promise<void> {
  const { paths, repository } = audit
  const file = paths.landingRecord(event.number)
  const read = readCapped(file)
  audit.checkHash(read, event.sha256, { lost: NOT_PROVED, changed: ['is not what was recorded', NOT_PROVED] })
  if (read.bytes === undefined) return
  const record = LandingRecord.safeParse(parseJsonBytes(read)).data
  if (record === undefined) return audit.addDamage(file, 'is not a valid record of a landing', NOT_PROVED)
  const { branch, landed, target, sessionId } = record
  const found = [branch, landed.commit, landed.tree, target.commit, sessionId]
  if (found.some((value, at) => value !== [event.branch, event.commit, event.tree, event.target, audit.id][at]))
    audit.addDamage(file, 'names another landing than the log', NOT_PROVED)
  if (event.result === 'ready') auditReady(audit, file, record, event)
  for (const { recordId, sha256: expected } of record.evidence) auditEvidence(audit, file, recordId, expected)
  const { packetSha256, answerSha256 } = record.verdict ?? {}
  for (const [kept, expected] of [
    [paths.landingPacket(event.number), packetSha256],
    [paths.landingAnswer(event.number), answerSha256],
  ] as const)
    if (expected)
      audit.checkHash(readCapped(kept, MAX_BYTES.output), expected, {
        lost: NOT_PROVED,
        changed: ['is not what was recorded', NOT_PROVED],
      })
  if (repository && (await findTree(repository, landed.commit)) !== landed.tree)
    audit.addDamage(file, `names a tree that commit ${landed.commit.slice(0, 10)} does not have`, NOT_PROVED)
}

/** By the same rules as when it was checked. */
function auditReady(audit: Audit, file: string, record: LandingRecord, { index }: { index: number }): void {
  const { gates, verdict, judged, landed } = record
  const last = audit.selectEvents('verdict.given').findLast(event => event.index < index)
  if (last?.verdict !== 'PASS' || last.commit !== judged.commit || last.tree !== judged.tree)
    audit.addDamage(file, 'is about another tree than the one that was judged', NOT_PROVED)
  const isProved =
    landed.tree === judged.tree ||
    (verdict?.verdict === 'PASS' &&
      verdict.clauses.length > 0 &&
      verdict.clauses.every(each => each.verdict === 'PASS'))
  if (!isProved || gates.some(({ outcome }) => outcome !== 'green'))
    audit.addDamage(file, 'does not show what it had to show', 'It should not have landed.')
}

function auditEvidence(audit: Audit, file: string, recordId: string, expected: string): void {
  if (!recordIdPattern.test(recordId)) return audit.addDamage(file, 'names evidence that is not its own', NOT_PROVED)
  const read = readCapped(audit.paths.evidenceRecord(recordId))
  audit.checkHash(read, expected, {
    lost: NOT_PROVED,
    changed: ['is not what was recorded when the check ran', NOT_PROVED],
  })
  const record = read.bytes && EvidenceRecord.safeParse(parseJsonBytes(read)).data
  if (record && record.id === recordId)
    audit.checkHash(readCapped(audit.paths.evidenceOutput(recordId), MAX_BYTES.output), record.outputSha256, {
      lost: NOT_PROVED,
      changed: ['is not what the check printed', NOT_PROVED],
    })
}
