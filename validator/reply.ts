import { z } from 'zod'
import { oneLine } from '../host/index.ts'
import type { Packet } from './packet.ts'

/** The judge's reply, as we ask for it and as we read it. */
export const Reply = z.strictObject({
  clauses: z.array(
    z.strictObject({
      id: z.string().describe('the id of a clause of the contract'),
      met: z.enum(['yes', 'no', 'unproven']),
      evidence: z.array(z.string()).describe('ids of evidence records that this rests on'),
      why: z.string().describe('one plain sentence'),
    }),
  ),
  findings: z.array(z.string()).describe('behaviour to mend, one sentence each'),
})

export type Reply = z.infer<typeof Reply>

/** A reply that can be used, or the reason why there is none. */
export type Judged = { ok: true; reply: Reply } | { ok: false; why: string }

/** What a reply is held against. */
export type Asked = Pick<Packet, 'clauseIds' | 'evidenceIds' | 'mustCite' | 'canaryId' | 'canaryFile'>

/** The reply's JSON schema, for Gemini's `responseJsonSchema`. */
export function responseSchema(): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(Reply)
  return schema
}

/** Read a reply. Only a complete one that answers exactly what was asked is taken; our own clause is taken out again. */
export function readReply(text: string, asked: Asked): Judged {
  const size = Buffer.byteLength(text)
  if (size > largest) return refused(`is ${size} bytes long, more than 1 MiB`)
  const parsed = parse(text)
  if ('why' in parsed) return refused(parsed.why)
  const shaped = Reply.safeParse(parsed.value)
  if (!shaped.success) return refused(`does not have the form asked for: ${firstIssue(shaped.error)}`)
  if (keysWritten(text) !== keysIn(shaped.data)) return refused('gives a key twice')
  const why = wrongIds(shaped.data, asked) ?? wrongWord(shaped.data, asked)
  return why === undefined ? { ok: true, reply: cleaned(shaped.data, asked) } : refused(why)
}

// --- internal ---

const largest = 1024 * 1024

function refused(why: string): Judged {
  return { ok: false, why: `the judge's reply ${why}` }
}

function parse(text: string): { value: unknown } | { why: string } {
  if (text.trim() === '') return { why: 'is empty' }
  try {
    return { value: JSON.parse(text) }
  } catch {
    if (/^\s*(```|~~~)/.test(text)) return { why: 'is wrapped in a code fence' }
    if (!/^\s*\{/.test(text)) return { why: 'is not JSON' }
    return { why: 'is not one whole JSON value: it is cut off, broken, or something follows it' }
  }
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues
  return oneLine(`${issue?.path.join('.') || 'the whole'}: ${issue?.message}`, 200)
}

/** The keys in a text that is known to be JSON: the strings with a colon behind them. `JSON.parse` keeps only the last of two. */
function keysWritten(text: string): number {
  return [...text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"\s*(:)?/g)].filter(([, colon]) => colon !== undefined).length
}

function keysIn(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + keysIn(item), 0)
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((sum, item) => sum + 1 + keysIn(item), 0)
}

/** One answer for each clause that was asked, and none else. */
function wrongIds({ clauses }: Reply, { clauseIds, canaryId }: Asked): string | undefined {
  const wanted = [...clauseIds, canaryId]
  const given = clauses.map(clause => clause.id)
  const twice = given.find((id, at) => given.indexOf(id) !== at)
  if (twice !== undefined) return `answers ${oneLine(twice, 20)} twice`
  const unknown = given.find(id => !wanted.includes(id))
  if (unknown !== undefined) return `answers ${oneLine(unknown, 20)}, which is no clause`
  const missing = wanted.filter(id => !given.includes(id))
  if (missing.length > 0) return `does not answer ${missing.join(', ')}`
  return undefined
}

/** Answers that cannot be believed: to what cannot be true, on evidence that was never issued, or on none of its own. */
function wrongWord({ clauses }: Reply, { evidenceIds, mustCite, canaryId }: Asked): string | undefined {
  for (const { id, met, evidence, why } of clauses) {
    if (id === canaryId && met === 'yes') return 'says yes to something that cannot be true'
    const unknown = evidence.find(cited => !evidenceIds.includes(cited))
    if (unknown !== undefined) return `cites ${oneLine(unknown, 40)} for ${id}, which is no evidence of ours`
    if (met === 'yes' && !evidence.some(cited => mustCite[id]?.includes(cited)))
      return `says yes to ${id} and cites no evidence for it`
    if (why.trim() === '') return `does not say why for ${id}`
  }
  return undefined
}

/** The reply as others may see it: our clause and findings about it are gone, and each text is one printable line. */
function cleaned({ clauses, findings }: Reply, { canaryId, canaryFile }: Asked): Reply {
  const ofCanary = new RegExp(`\\b${canaryId}\\b|${canaryFile.replace(/^.*\/|\..*$/g, '')}`)
  return {
    clauses: clauses
      .filter(({ id }) => id !== canaryId)
      .map(clause => ({ ...clause, why: oneLine(clause.why, 600), evidence: [...new Set(clause.evidence)] })),
    findings: findings
      .filter(finding => finding.trim() !== '' && !ofCanary.test(finding))
      .slice(0, 50)
      .map(finding => oneLine(finding, 600)),
  }
}
