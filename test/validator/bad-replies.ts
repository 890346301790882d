import type { ReplyExpectation } from '../../validator/reply.ts'
import { createErrorResponse, createTextResponse, type GeminiBehavior } from './gemini-server.ts'

/** What the table below is held against. */
export const replyExpectation: ReplyExpectation = {
  clauseIds: ['C1', 'C2'],
  evidenceIds: ['base-C1', 'round-1-C1', 'listing'],
  mustCite: { C1: ['round-1-C1'], C2: ['base-C1', 'round-1-C1', 'listing'] },
  canaryId: 'C7',
  canaryFile: 'outputs/0123456789abcdef.txt',
}

const word = (id: string, met: string, evidence: unknown = ['round-1-C1'], why: unknown = 'It is so.') => ({
  id,
  met,
  evidence,
  why,
})
const all = [word('C1', 'yes'), word('C2', 'yes', ['listing']), word('C7', 'no', [])]
const whole = { clauses: all, findings: [] }

/** A complete, valid reply that says yes to all there is. */
export const validReply = JSON.stringify(whole)

const json = (value: unknown) => JSON.stringify(value)
const clauses = (...words: unknown[]) => json({ clauses: words, findings: [] })

/** Texts that are no complete, valid reply, each with a word of the reason. */
export const badTexts: [name: string, text: string, why: RegExp][] = [
  ['nothing', '', /no text|empty/],
  ['blanks', ' \n\t ', /no text|empty/],
  ['PASS', 'PASS', /not JSON/],
  ['PASS in prose', 'I have looked at all and the verdict is PASS.', /not JSON/],
  ['garbage', '\u0001\u0002%%%', /not JSON/],
  ['HTML', '<html><body>502 Bad Gateway</body></html>', /not JSON/],
  ['XML', '<verdict>PASS</verdict>', /not JSON/],
  ['YAML', 'clauses:\n  - id: C1\n    met: yes\n', /not JSON/],
  ['half JSON', validReply.slice(0, -20), /cut off/],
  ['JSON without its last bracket', validReply.slice(0, -1), /cut off/],
  ['fenced JSON', `\`\`\`json\n${validReply}\n\`\`\``, /fence/],
  ['fenced JSON without a language', `\`\`\`\n${validReply}\n\`\`\``, /fence/],
  ['two JSONs', validReply + validReply, /something follows/],
  ['two JSONs on two lines', `${validReply}\n${validReply}`, /something follows/],
  ['JSON, then prose', `${validReply}\nThat is my verdict: PASS.`, /something follows/],
  ['prose, then JSON', `Here is my verdict:\n${validReply}`, /not JSON/],
  ['a byte order mark', `\ufeff${validReply}`, /not JSON|cut off/],
  ['single quotes', validReply.replaceAll('"', "'"), /cut off/],
  ['a comment', validReply.replace('{', '{ // verdict\n'), /cut off/],
  ['a trailing comma', validReply.replace(/}$/, ',}'), /cut off/],
  ['NaN', validReply.replace('"findings":[]', '"findings":NaN'), /cut off/],
  ['null', 'null', /not JSON|form/],
  ['true', 'true', /not JSON|form/],
  ['a number', '1', /not JSON|form/],
  ['a string', '"PASS"', /not JSON|form/],
  ['a list', json(all), /not JSON|form/],
  ['an empty object', '{}', /form/],
  ['a JSON in a JSON string', json(validReply), /not JSON|form/],
  ['the whole in a wrapper', json({ reply: whole }), /form/],
  ['no findings', json({ clauses: all }), /form/],
  ['no clauses', json({ findings: [] }), /form/],
  ['clauses as an object', json({ clauses: { C1: 'yes', C2: 'yes' }, findings: [] }), /form/],
  ['findings as a string', json({ clauses: all, findings: 'none' }), /form/],
  ['findings as objects', json({ clauses: all, findings: [{ text: 'x' }] }), /form/],
  ['a key too many', json({ ...whole, verdict: 'PASS' }), /form/],
  ['a key too many in a clause', clauses({ ...word('C1', 'yes'), confidence: 1 }, ...all.slice(1)), /form/],
  ['met in capitals', clauses(word('C1', 'YES'), ...all.slice(1)), /form/],
  ['met as true', clauses({ ...word('C1', ''), met: true }, ...all.slice(1)), /form/],
  ['met as PASS', clauses(word('C1', 'PASS'), ...all.slice(1)), /form/],
  ['met missing', clauses({ id: 'C1', evidence: ['round-1-C1'], reason: 'x' }, ...all.slice(1)), /form/],
  ['met null', clauses({ ...word('C1', ''), met: null }, ...all.slice(1)), /form/],
  ['evidence as a string', clauses(word('C1', 'yes', 'round-1-C1'), ...all.slice(1)), /form/],
  ['evidence missing', clauses({ id: 'C1', met: 'yes', reason: 'x' }, ...all.slice(1)), /form/],
  ['evidence null', clauses(word('C1', 'yes', [null]), ...all.slice(1)), /form/],
  ['why missing', clauses({ id: 'C1', met: 'yes', evidence: ['round-1-C1'] }, ...all.slice(1)), /form/],
  ['why blank', clauses(word('C1', 'yes', ['round-1-C1'], ' '), ...all.slice(1)), /why/],
  ['id as a number', clauses({ ...word('', 'yes'), id: 1 }, ...all.slice(1)), /form/],
  ['no clause answered', clauses(), /does not answer C1, C2, C7/],
  ['the last clause missing', clauses(...all.slice(0, 1), ...all.slice(2)), /does not answer C2/],
  ['our own clause missing', clauses(...all.slice(0, 2)), /does not answer C7/],
  ['a clause twice', clauses(...all, word('C1', 'yes')), /C1 twice/],
  ['a clause twice, no and yes', clauses(word('C1', 'no'), ...all), /C1 twice/],
  ['a clause that is none', clauses(...all, word('C9', 'yes')), /C9, which is no clause/],
  ['an id in small letters', clauses(word('c1', 'yes'), ...all.slice(1)), /c1, which is no clause/],
  ['an id with a blank', clauses(word('C1 ', 'yes'), ...all.slice(1)), /no clause/],
  ['an id with a zero-width space', clauses(word('C1\u200b', 'yes'), ...all.slice(1)), /no clause/],
  ['an id of the prototype', clauses(word('__proto__', 'yes'), ...all.slice(1)), /no clause/],
  ['yes without evidence', clauses(word('C1', 'yes', []), ...all.slice(1)), /cites no evidence/],
  ['yes on what was before the work', clauses(word('C1', 'yes', ['base-C1']), ...all.slice(1)), /C1 and cites no/],
  [
    'yes on what is not its own',
    clauses(word('C1', 'yes', ['listing', 'base-C1']), ...all.slice(1)),
    /C1 and cites no/,
  ],
  ['yes to a judged clause on nothing', clauses(word('C1', 'yes'), word('C2', 'yes', []), all[2]), /C2 and cites no/],
  [
    'yes on evidence of its own making',
    clauses(word('C1', 'yes', ['round-9-C1']), ...all.slice(1)),
    /no evidence of ours/,
  ],
  ['yes on a report', clauses(word('C1', 'yes', ['round-1-C1', 'w1']), ...all.slice(1)), /no evidence of ours/],
  ['no on unknown evidence', clauses(word('C1', 'no', ['x']), ...all.slice(1)), /no evidence of ours/],
  ['yes to what cannot be true', clauses(...all.slice(0, 2), word('C7', 'yes', ['listing'])), /cannot be true/],
  ['a key twice', validReply.replace('"met":"yes"', '"met":"no","met":"yes"'), /key twice/],
  [
    'a key twice, written in another way',
    validReply.replace('"met":"yes"', '"met":"no","\\u006det":"yes"'),
    /key twice/,
  ],
  ['clauses twice', validReply.replace('{', '{"clauses":[],'), /key twice/],
  ['more than 1 MiB', json({ clauses: all, findings: ['x'.repeat(1024 * 1024)] }), /1 MiB/],
  ['1 MiB of brackets', '['.repeat(1024 * 1024), /not JSON/],
  ['deep nesting', `{"clauses":${'['.repeat(10_000)}${']'.repeat(10_000)},"findings":[]}`, /form/],
]

const finish = (finishReason: unknown) => createTextResponse(validReply, { finishReason })
const body = (value: unknown): GeminiBehavior => ({ body: typeof value === 'string' ? value : json(value) })

/** Responses that hold no answer to be trusted, each with a word of the reason. */
export const badResponses: [name: string, act: GeminiBehavior, why: RegExp][] = [
  ...['MAX_TOKENS', 'SAFETY', 'RECITATION', 'LANGUAGE', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII'].map(
    (reason): [string, GeminiBehavior, RegExp] => [
      `finishReason ${reason}`,
      finish(reason),
      new RegExp(`did not finish: ${reason}`),
    ],
  ),
  ['finishReason of a later day', finish('CONTINUATION'), /did not finish: CONTINUATION/],
  ['an unspecified end', finish('FINISH_REASON_UNSPECIFIED'), /did not finish/],
  ['no finishReason', finish(undefined), /did not finish: no finishReason/],
  ['finishReason in small letters', finish('stop'), /did not finish/],
  ['SAFETY without content', body({ candidates: [{ finishReason: 'SAFETY' }] }), /SAFETY/],
  [
    'MAX_TOKENS in the middle',
    createTextResponse(validReply.slice(0, 40), { finishReason: 'MAX_TOKENS' }),
    /MAX_TOKENS/,
  ],
  [
    'a continuation token',
    createTextResponse(validReply, { finishReason: 'CONTINUATION', continuationToken: 'x' }),
    /CONTINUATION/,
  ],
  ['a blocked prompt', body({ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }), /blocked: PROHIBITED_CONTENT/],
  [
    'a blocked prompt and an answer all the same',
    body({
      ...JSON.parse((createTextResponse(validReply) as { body: string }).body),
      promptFeedback: { blockReason: 'OTHER' },
    }),
    /blocked: OTHER/,
  ],
  ['no candidates', body({ candidates: [] }), /no candidates/],
  ['an empty object', body({}), /no candidates/],
  ['candidates null', body({ candidates: null }), /no candidates/],
  ['candidates as an object', body({ candidates: {} }), /as Gemini does/],
  [
    'two candidates',
    body({ candidates: Array(2).fill({ content: { parts: [{ text: validReply }] }, finishReason: 'STOP' }) }),
    /more than one/,
  ],
  ['no content', body({ candidates: [{ finishReason: 'STOP' }] }), /no text/],
  ['no parts', body({ candidates: [{ content: { parts: [] }, finishReason: 'STOP' }] }), /no text/],
  [
    'only a thought',
    body({ candidates: [{ content: { parts: [{ text: validReply, thought: true }] }, finishReason: 'STOP' }] }),
    /no text/,
  ],
  [
    'a function call',
    body({
      candidates: [{ content: { parts: [{ functionCall: { name: 'pass', args: {} } }] }, finishReason: 'STOP' }],
    }),
    /other than text/,
  ],
  [
    'text as a number',
    body({ candidates: [{ content: { parts: [{ text: 1 }] }, finishReason: 'STOP' }] }),
    /as Gemini does/,
  ],
  ['the reply without a response round it', body(validReply), /no candidates/],
  ['null', body('null'), /as Gemini does/],
  ['a list', body('[]'), /no candidates|as Gemini does/],
  ['a number', body('7'), /no candidates|as Gemini does/],
  ['no body', body(''), /empty/],
  [
    'HTML with status 200',
    { body: '<html>sign in</html>', headers: { 'content-type': 'text/html' } },
    /as Gemini does/,
  ],
  ['a half response', body((createTextResponse(validReply) as { body: string }).body.slice(0, 60)), /as Gemini does/],
  ['an error with status 200', body({ error: { code: 500, message: 'x', status: 'INTERNAL' } }), /no candidates/],
  ['status 204', { status: 204, body: '' }, /empty/],
  ['50 MB', body(`{"candidates":"${'x'.repeat(50 * 1024 * 1024)}"}`), /2 MiB/],
  ['an endless answer', { break: 'flood' }, /2 MiB/],
  ['a redirect', { status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } }, /elsewhere/],
  ['a redirect that keeps the method', { status: 307, body: '', headers: { location: '/v1beta/x' } }, /elsewhere/],
  [
    '400',
    createErrorResponse(400, 'INVALID_ARGUMENT', 'bad schema'),
    /refuses the request: HTTP 400 INVALID_ARGUMENT: bad schema/,
  ],
  [
    '400, precondition',
    createErrorResponse(400, 'FAILED_PRECONDITION', 'location is not supported'),
    /gemini-test refuses.*FAILED_PRECONDITION/,
  ],
  [
    '400, wrong key',
    createErrorResponse(400, 'INVALID_ARGUMENT', 'API key not valid.', [{ '@type': 'x', reason: 'API_KEY_INVALID' }]),
    /GEMINI_API_KEY/,
  ],
  ['401', createErrorResponse(401, 'UNAUTHENTICATED', 'no'), /GEMINI_API_KEY.*gemini-test.*401/],
  ['403', createErrorResponse(403, 'PERMISSION_DENIED', 'no'), /GEMINI_API_KEY.*gemini-test.*403/],
  [
    '404',
    createErrorResponse(404, 'NOT_FOUND', 'models/gemini-test is gone'),
    /model gemini-test \(JUDGE_MODEL\) is not there/,
  ],
  ['404 as HTML', { status: 404, body: '<h1>not found</h1>' }, /JUDGE_MODEL/],
  ['413', { status: 413, body: 'too large' }, /refuses the request: HTTP 413/],
  ['418 with garbage', { status: 418, body: '{"error":[1' }, /refuses the request: HTTP 418/],
]

/** Responses that may be better next time. */
export const transientFailures: [name: string, act: GeminiBehavior, why: RegExp][] = [
  ['429', createErrorResponse(429, 'RESOURCE_EXHAUSTED', 'quota'), /not available: HTTP 429 RESOURCE_EXHAUSTED: quota/],
  ['500', createErrorResponse(500, 'INTERNAL', 'oops'), /HTTP 500/],
  ['502 as HTML', { status: 502, body: '<html>bad gateway</html>' }, /HTTP 502/],
  ['503', createErrorResponse(503, 'UNAVAILABLE', 'overloaded'), /HTTP 503 UNAVAILABLE: overloaded/],
  ['504', createErrorResponse(504, 'DEADLINE_EXCEEDED', 'slow'), /HTTP 504/],
  ['529', { status: 529, body: '' }, /HTTP 529/],
  ['a reset', { break: 'reset' }, /cannot be reached/],
  ['a break in the middle', { break: 'half' }, /cannot be reached/],
]
