import { z } from 'zod'
import { parseJson } from '#host/json.ts'
import { toOneLine } from '#host/text.ts'
import type { JudgeFailureKind } from './failure.ts'
import type { Packet } from './packet/packet.ts'

const MAX_REPLY_BYTES = 1024 * 1024
const MAX_TEXT_CHARS = 600
const MAX_FINDINGS = 50

/** The judge's reply: its form for the model, and what is read back. */
export const JudgeReply = z.strictObject({
  clauses: z.array(
    z.strictObject({
      id: z.string().describe('the id of a clause of the contract'),
      met: z.enum(['yes', 'no', 'unproven']),
      evidence: z.array(z.string()).describe('ids of the evidence records that this rests on'),
      reason: z.string().describe('one plain sentence'),
    }),
  ),
  findings: z.array(z.string()).describe('behavior to fix, one sentence each'),
})

export type JudgeReply = z.infer<typeof JudgeReply>

/** A reply that can be used, or why it cannot: it lacks the required form, or what it says cannot be believed. */
export type JudgeReplyResult = { ok: true; reply: JudgeReply } | { ok: false; reason: string; kind: JudgeFailureKind }

/** What a reply must answer, and what it may cite. */
export type ReplyExpectation = Pick<Packet, 'clauseIds' | 'evidenceIds' | 'mustCite' | 'canaryId' | 'canaryFile'>

/** The reply's JSON schema, for Gemini's `responseJsonSchema`. */
export function buildResponseSchema(): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(JudgeReply)
  return schema
}

/** Read a reply. Only a complete one that answers exactly the clauses that were asked is accepted. The canary is removed. */
export function parseJudgeReply(text: string, expectation: ReplyExpectation): JudgeReplyResult {
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_REPLY_BYTES) return rejectReply(`is ${bytes} bytes long, more than 1 MiB`)
  const json = parseJson(text)
  if (json === undefined) return rejectReply(explainInvalidJson(text))
  const { data: reply, error } = JudgeReply.safeParse(json)
  if (error) return rejectReply(`does not have the required form: ${describeFirstIssue(error)}`)
  if (countKeysInText(text) !== countKeys(reply)) return rejectReply('gives a key twice')
  const wrongIds = findWrongIds(reply, expectation)
  if (wrongIds !== undefined) return rejectReply(wrongIds)
  const problem = findInvalidAnswer(reply, expectation)
  return problem === undefined
    ? { ok: true, reply: removeCanary(reply, expectation) }
    : rejectReply(problem, 'not believed')
}

// --- internal ---

function rejectReply(problem: string, kind: JudgeFailureKind = 'malformed'): JudgeReplyResult {
  return { ok: false, reason: `the judge's reply ${problem}`, kind }
}

function explainInvalidJson(text: string): string {
  if (text.trim() === '') return 'is empty'
  if (/^\s*(```|~~~)/.test(text)) return 'is wrapped in a code fence'
  if (!/^\s*\{/.test(text)) return 'is not JSON'
  return 'is not one whole JSON value: it is cut off, broken, or something follows it'
}

function describeFirstIssue(error: z.ZodError): string {
  const [issue] = error.issues
  return toOneLine(`${issue?.path.join('.') || 'the whole'}: ${issue?.message}`, 200)
}

/**
 * The number of keys in valid JSON: the strings that a colon follows. `JSON.parse` keeps only the last of two equal keys,
 * so the reply is counted twice and the numbers are compared.
 */
function countKeysInText(text: string): number {
  return [...text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"\s*(:)?/g)].filter(([, colon]) => colon !== undefined).length
}

function countKeys(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + countKeys(item), 0)
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((sum, item) => sum + 1 + countKeys(item), 0)
}

/** Why the answers are not exactly one for each clause that was asked. */
function findWrongIds({ clauses }: JudgeReply, { clauseIds, canaryId }: ReplyExpectation): string | undefined {
  const expectedIds = [...clauseIds, canaryId]
  const ids = clauses.map(clause => clause.id)
  const duplicate = ids.find((id, index) => ids.indexOf(id) !== index)
  if (duplicate !== undefined) return `answers ${toOneLine(duplicate, 20)} twice`
  const unknown = ids.find(id => !expectedIds.includes(id))
  if (unknown !== undefined) return `answers ${toOneLine(unknown, 20)}, which is not a clause`
  const missing = expectedIds.filter(id => !ids.includes(id))
  if (missing.length > 0) return `does not answer ${missing.join(', ')}`
  return undefined
}

/** Why an answer cannot be believed: a yes to the canary, evidence that does not exist, a yes without the clause's own evidence. */
function findInvalidAnswer(
  { clauses }: JudgeReply,
  { evidenceIds, mustCite, canaryId }: ReplyExpectation,
): string | undefined {
  for (const { id, met, evidence, reason } of clauses) {
    if (id === canaryId && met === 'yes') return 'says yes to something that cannot be true'
    const unknown = evidence.find(cited => !evidenceIds.includes(cited))
    if (unknown !== undefined) return `cites ${toOneLine(unknown, 40)} for ${id}, which is not in the packet`
    if (met === 'yes' && !evidence.some(cited => mustCite[id]?.includes(cited)))
      return `says yes to ${id} and cites no evidence for it`
    if (reason.trim() === '') return `gives no reason for ${id}`
  }
  return undefined
}

/** The reply as others may see it: without the canary and findings about it, each text one printable line. */
function removeCanary({ clauses, findings }: JudgeReply, { canaryId, canaryFile }: ReplyExpectation): JudgeReply {
  const canaryPattern = new RegExp(`\\b${canaryId}\\b|${canaryFile.replace(/^.*\/|\..*$/g, '')}`)
  return {
    clauses: clauses
      .filter(({ id }) => id !== canaryId)
      .map(clause => ({
        ...clause,
        reason: toOneLine(clause.reason, MAX_TEXT_CHARS),
        evidence: [...new Set(clause.evidence)],
      })),
    findings: findings
      .filter(finding => finding.trim() !== '' && !canaryPattern.test(finding))
      .slice(0, MAX_FINDINGS)
      .map(finding => toOneLine(finding, MAX_TEXT_CHARS)),
  }
}
