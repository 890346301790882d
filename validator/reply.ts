import { z } from 'zod'
import { toOneLine } from '#host/text.ts'
import type { Packet } from './packet/packet.ts'
/** The judge's reply, as we ask for it and as we read it. */
export const JudgeReply = z.strictObject({
  clauses: z.array(
    z.strictObject({
      id: z.string().describe('the id of a clause of the contract'),
      met: z.enum(['yes', 'no', 'unproven']),
      evidence: z.array(z.string()).describe('ids of evidence records that this rests on'),
      reason: z.string().describe('one plain sentence'),
    }),
  ),
  findings: z.array(z.string()).describe('behaviour to mend, one sentence each'),
})

export type JudgeReply = z.infer<typeof JudgeReply>

/** A reply that can be used, or the reason why there is none. */
export type JudgeReplyResult = { ok: true; reply: JudgeReply } | { ok: false; reason: string }

/** What a reply is held against. */
export type ReplyExpectation = Pick<Packet, 'clauseIds' | 'evidenceIds' | 'mustCite' | 'canaryId' | 'canaryFile'>

/** The reply's JSON schema, for Gemini's `responseJsonSchema`. */
export function buildResponseSchema(): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(JudgeReply)
  return schema
}

/** Read a reply. Only a complete one that answers exactly what was asked is taken; our own clause is taken out again. */
export function parseJudgeReply(text: string, asked: ReplyExpectation): JudgeReplyResult {
  const size = Buffer.byteLength(text)
  if (size > MAX_REPLY_BYTES) return rejectReply(`is ${size} bytes long, more than 1 MiB`)
  const parsed = parse(text)
  if ('reason' in parsed) return rejectReply(parsed.reason)
  const shaped = JudgeReply.safeParse(parsed.value)
  if (!shaped.success) return rejectReply(`does not have the form asked for: ${describeFirstIssue(shaped.error)}`)
  if (countKeysInText(text) !== countKeys(shaped.data)) return rejectReply('gives a key twice')
  const why = findWrongIds(shaped.data, asked) ?? findInvalidAnswer(shaped.data, asked)
  return why === undefined ? { ok: true, reply: removeCanary(shaped.data, asked) } : rejectReply(why)
}

// --- internal ---

const MAX_REPLY_BYTES = 1024 * 1024

function rejectReply(why: string): JudgeReplyResult {
  return { ok: false, reason: `the judge's reply ${why}` }
}

function parse(text: string): { value: unknown } | { reason: string } {
  if (text.trim() === '') return { reason: 'is empty' }
  try {
    return { value: JSON.parse(text) }
  } catch {
    if (/^\s*(```|~~~)/.test(text)) return { reason: 'is wrapped in a code fence' }
    if (!/^\s*\{/.test(text)) return { reason: 'is not JSON' }
    return { reason: 'is not one whole JSON value: it is cut off, broken, or something follows it' }
  }
}

function describeFirstIssue(error: z.ZodError): string {
  const [issue] = error.issues
  return toOneLine(`${issue?.path.join('.') || 'the whole'}: ${issue?.message}`, 200)
}

/** The keys in a text that is known to be JSON: the strings with a colon behind them. `JSON.parse` keeps only the last of two. */
function countKeysInText(text: string): number {
  return [...text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"\s*(:)?/g)].filter(([, colon]) => colon !== undefined).length
}

function countKeys(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + countKeys(item), 0)
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((sum, item) => sum + 1 + countKeys(item), 0)
}

/** One answer for each clause that was asked, and none else. */
function findWrongIds({ clauses }: JudgeReply, { clauseIds, canaryId }: ReplyExpectation): string | undefined {
  const wanted = [...clauseIds, canaryId]
  const given = clauses.map(clause => clause.id)
  const twice = given.find((id, at) => given.indexOf(id) !== at)
  if (twice !== undefined) return `answers ${toOneLine(twice, 20)} twice`
  const unknown = given.find(id => !wanted.includes(id))
  if (unknown !== undefined) return `answers ${toOneLine(unknown, 20)}, which is no clause`
  const missing = wanted.filter(id => !given.includes(id))
  if (missing.length > 0) return `does not answer ${missing.join(', ')}`
  return undefined
}

/** Answers that cannot be believed: to what cannot be true, on evidence that was never issued, or on none of its own. */
function findInvalidAnswer(
  { clauses }: JudgeReply,
  { evidenceIds, mustCite, canaryId }: ReplyExpectation,
): string | undefined {
  for (const { id, met, evidence, reason } of clauses) {
    if (id === canaryId && met === 'yes') return 'says yes to something that cannot be true'
    const unknown = evidence.find(cited => !evidenceIds.includes(cited))
    if (unknown !== undefined) return `cites ${toOneLine(unknown, 40)} for ${id}, which is no evidence of ours`
    if (met === 'yes' && !evidence.some(cited => mustCite[id]?.includes(cited)))
      return `says yes to ${id} and cites no evidence for it`
    if (reason.trim() === '') return `does not say why for ${id}`
  }
  return undefined
}

/** The reply as others may see it: our clause and findings about it are gone, and each text is one printable line. */
function removeCanary({ clauses, findings }: JudgeReply, { canaryId, canaryFile }: ReplyExpectation): JudgeReply {
  const ofCanary = new RegExp(`\\b${canaryId}\\b|${canaryFile.replace(/^.*\/|\..*$/g, '')}`)
  return {
    clauses: clauses
      .filter(({ id }) => id !== canaryId)
      .map(clause => ({ ...clause, reason: toOneLine(clause.reason, 600), evidence: [...new Set(clause.evidence)] })),
    findings: findings
      .filter(finding => finding.trim() !== '' && !ofCanary.test(finding))
      .slice(0, 50)
      .map(finding => toOneLine(finding, 600)),
  }
}
