import { contextPatterns, namedValuePattern, tokenPatterns } from './patterns.ts'
import { BLANKS, createTextView, INVISIBLE, MARKUP } from './text-view.ts'

/** A text with more secrets than this is redacted as a whole. */
const MAX_SECRETS = 5000
const OVERFLOW_LABEL = 'too many to list'
const KNOWN_VALUE_LABEL = 'known value'
const MIN_SECRET_CHARS = 8
const MAX_PASSES = 4
/** How many encodings around a secret are decoded, such as base64 in hex. */
const MAX_ENCODINGS = 2

/** A range of a text that contains a secret, and the kind of the secret. */
interface SecretMatch {
  start: number
  end: number
  name: string
}

/**
 * The text with `[secret withheld: GitHub token]` in the place of each secret: everything with the form of one
 * (`patterns.ts`), and the known secrets, plain or encoded. The number of lines stays. Takes time linear in the text.
 */
export function redactSecrets(
  text: string,
  knownSecrets: readonly string[] = [],
): { text: string; redactionCount: number } {
  let redacted = text
  let redactionCount = 0
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const secrets = findSecrets(redacted, knownSecrets)
    if (secrets.length === 0) break
    redactionCount += secrets.length
    if (secrets.length > MAX_SECRETS)
      return { text: `[secret withheld: ${OVERFLOW_LABEL}]${redacted.replace(/[^\n]+/g, '')}`, redactionCount }
    redacted = replaceSecrets(redacted, secrets) // A removed secret may have hidden the start of its neighbor.
  }
  return { text: redacted, redactionCount }
}

/** The same value with each of its texts redacted: before they are cut or escaped, which would break up a secret. */
export function redactAll<Value>(value: Value, knownSecrets: readonly string[]): Value {
  return JSON.parse(JSON.stringify(value), (_, part) =>
    typeof part === 'string' ? redactSecrets(part, knownSecrets).text : part,
  )
}

/** The ranges of the secrets in a text, in order and without overlaps. */
export function findSecrets(text: string, knownSecrets: readonly string[] = []): SecretMatch[] {
  return mergeOverlaps(findInViews(text, knownSecrets, MAX_ENCODINGS))
}

/** Every text that can replace a secret. */
export const redactionLabels: string[] = [
  ...new Set([...tokenPatterns, ...contextPatterns].map(({ name }) => name)),
  ...[OVERFLOW_LABEL, 'private key', KNOWN_VALUE_LABEL, 'encoded', 'password', 'secret', 'token', 'key'],
].map(name => `[secret withheld: ${name}]`)

/** Does a value look generated: letters mixed with digits, high entropy, and no word, number, version or path? Pure. */
export function isGeneratedValue(value: string): boolean {
  if (value.length < MIN_SECRET_CHARS || !/\d/.test(value) || !/[A-Za-z]/.test(value))
    return value.length >= MIN_SECRET_CHARS && hasMixedCharacters(value)
  if (/^[$%{<]|\.\.\.|…|\*\*\*|x{4}|^[a-z]{2,10}:\/\//i.test(value)) return false
  if (/your[-_]|change-?me|placeholder|example|redacted|dummy/i.test(value)) return false
  if (/^[A-Za-z]+\d{0,3}([_./:-][A-Za-z]*\d{0,3})*$/.test(value)) return false // Words with numbers after them.
  if (/^\d[\d.:,_/-]*[A-Za-z%]{0,3}$|^v?\d+\.\d+|^\d{4}-\d\d-\d\d/.test(value)) return false // A number, a version, a time.
  if (/^[.~]{0,2}\/[a-z0-9_./-]+$/.test(value)) return false // A path.
  return computeEntropy(value) >= (value.length < 12 ? 2.5 : 2.9)
}

// --- internal ---

function replaceSecrets(text: string, secrets: SecretMatch[]): string {
  const parts: string[] = []
  let offset = 0
  for (const { start, end, name } of secrets) {
    parts.push(text.slice(offset, start), `[secret withheld: ${name}]`, text.slice(start, end).replace(/[^\n]+/g, ''))
    offset = end
  }
  return `${parts.join('')}${text.slice(offset)}`
}

// --- the search ---

/** Search also in views of the text without invisible characters, markup or blanks, which could split a secret. */
function findInViews(text: string, knownSecrets: readonly string[], encodings: number): SecretMatch[] {
  const visible = createTextView(text, INVISIBLE)
  const unmarked = createTextView(text, MARKUP)
  const packed = knownSecrets.length === 0 ? undefined : createTextView(text, BLANKS)
  return [
    ...visible.toOriginal([
      ...matchPatterns(visible.text, [...tokenPatterns, ...contextPatterns]),
      ...findNamedValues(visible.text),
      ...findPrivateKeys(visible.text),
    ]),
    ...(unmarked.text === visible.text ? [] : unmarked.toOriginal(matchPatterns(unmarked.text, tokenPatterns))),
    ...(packed === undefined ? [] : packed.toOriginal(findKnownValues(packed.text, knownSecrets))),
    ...(encodings === 0 ? [] : visible.toOriginal(findEncoded(visible.text, knownSecrets, encodings - 1))),
  ]
}

function matchPatterns(text: string, patterns: typeof tokenPatterns): SecretMatch[] {
  return patterns.flatMap(({ name, pattern }) =>
    [...text.matchAll(pattern)].flatMap(match => {
      const [whole, ...groups] = match
      const value = groups.find(group => group !== undefined) ?? whole
      const start = match.index + whole.lastIndexOf(value)
      return /^[$%{<*]|^\[secret$/.test(value) ? [] : [{ start, end: start + value.length, name }]
    }),
  )
}

/** Values that look generated and whose name says that they are secret, such as `password: …`. */
function findNamedValues(text: string): SecretMatch[] {
  return [...text.matchAll(namedValuePattern)].flatMap(match => {
    const [whole, keyword = '', rest = ''] = match
    const value = rest.replace(/&\w+=.*$/, '').replace(/[.:!?]+$/, '')
    const start = match.index + whole.length - rest.length
    if (!isGeneratedValue(value)) return []
    const name = /pass|pwd/i.test(keyword)
      ? 'password'
      : /key/i.test(keyword)
        ? 'key'
        : /secret|cred/i.test(keyword)
          ? 'secret'
          : 'token'
    return [{ start, end: start + value.length, name }]
  })
}

/** The known secrets in a text without blanks and markup. */
function findKnownValues(packed: string, knownSecrets: readonly string[]): SecretMatch[] {
  return knownSecrets.flatMap(value => {
    const needle = value.replace(BLANKS, '')
    const secrets: SecretMatch[] = []
    if (needle.length < MIN_SECRET_CHARS) return secrets
    for (let start = packed.indexOf(needle); start >= 0; start = packed.indexOf(needle, start + needle.length))
      secrets.push({ start, end: start + needle.length, name: KNOWN_VALUE_LABEL })
    return secrets
  })
}

// --- private keys ---

const KEY_MARKER = /-----(BEGIN|END) (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g
const KEY_LINES = /(?:(?:\\[nr]|[\s|>"',])*[A-Za-z0-9+/=]{16,})+/y

/** Complete private keys, and those whose first or last line was cut off. A mere mention is not a key. */
function findPrivateKeys(text: string): SecretMatch[] {
  const secrets: SecretMatch[] = []
  const markers = [...text.matchAll(KEY_MARKER)].map(match => ({
    side: match[1],
    start: match.index,
    end: match.index + match[0].length,
  }))
  for (const [index, marker] of markers.entries()) {
    const previous = markers[index - 1]
    const next = markers[index + 1]
    const isEnd = marker.side === 'END'
    if (isEnd && previous?.side === 'BEGIN') continue
    const end = isEnd
      ? marker.end
      : next?.side === 'END' && !text.slice(marker.end, next.start).includes('-----')
        ? next.end
        : findKeyEnd(text, marker.end)
    const start = isEnd ? findKeyStart(text, marker.start, previous?.end ?? 0) : marker.start
    if (/[A-Za-z0-9+/]{16}/.test(text.slice(isEnd ? start : marker.end, isEnd ? marker.start : end)))
      secrets.push({ start, end, name: 'private key' })
  }
  return secrets
}

function findKeyEnd(text: string, from: number): number {
  KEY_LINES.lastIndex = from
  return from + (KEY_LINES.exec(text)?.[0].length ?? 0)
}

/** The start of the base64 lines that end at `end`, but not before `min`. */
function findKeyStart(text: string, end: number, min: number): number {
  let from = end
  while (from > min) {
    const start = Math.max(min, text.lastIndexOf('\n', from - 2) + 1)
    if (!/^[\s|>"',]*[A-Za-z0-9+/=]{4,}[\s"',\\n]*$/.test(text.slice(start, Math.min(from, start + 1000)))) break
    from = start
  }
  return from
}

// --- encodings ---

const BASE64_RUN = /[A-Za-z0-9+/_-]{20,}(?:\n[|> ]{0,4}[A-Za-z0-9+/_-]{4,})*={0,2}/g
const HEX_RUN = /[0-9A-Fa-f]{32,}/g
const WORD_RUN = /[^\s"'<>`]+/g

/** Runs of base64, hex or `%41` that contain a secret when decoded. The decoded runs are searched as one text. */
function findEncoded(text: string, knownSecrets: readonly string[], encodings: number): SecretMatch[] {
  const runs: { start: number; end: number; decodedStart: number }[] = []
  const decoded: string[] = []
  let length = 0
  const add = (start: number, run: string, content: string) => {
    if (!isReadable(content)) return
    runs.push({ start, end: start + run.length, decodedStart: length })
    decoded.push(content)
    length += content.length + 1
  }
  for (const { 0: run, index } of text.matchAll(BASE64_RUN))
    for (const shift of [0, 1, 2, 3]) add(index, run, Buffer.from(run.slice(shift), 'base64').toString('latin1'))
  for (const { 0: run, index } of text.matchAll(HEX_RUN)) add(index, run, Buffer.from(run, 'hex').toString('latin1'))
  if (text.includes('%'))
    for (const { 0: run, index } of text.matchAll(WORD_RUN)) {
      if (/%[0-9A-Fa-f]{2}/.test(run)) add(index, run, decodePercent(run))
    }
  if (runs.length === 0) return []
  return findInViews(decoded.join('\n'), knownSecrets, encodings).flatMap(({ start, end }) => {
    const overlapping = runs.filter(
      (run, index) => run.decodedStart < end && (runs[index + 1]?.decodedStart ?? length) > start,
    )
    return overlapping.map(run => ({ start: run.start, end: run.end, name: 'encoded' }))
  })
}

function decodePercent(run: string): string {
  return run.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** Is this text, and not bytes? Of its first and last 64 characters, at least 75 % must be printable. */
function isReadable(text: string): boolean {
  const sample = text.length <= 128 ? text : text.slice(0, 64) + text.slice(-64)
  return sample.length >= 8 && sample.replace(/[^\t\n\r -~]/g, '').length >= sample.length * 0.75
}

// --- ranges and values ---

/** Ranges that overlap become one, with the name of the first. */
function mergeOverlaps(secrets: SecretMatch[]): SecretMatch[] {
  const merged: SecretMatch[] = []
  for (const secret of secrets.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1)
    if (last && secret.start < last.end) last.end = Math.max(last.end, secret.end)
    else merged.push({ ...secret })
  }
  return merged
}

/** Three kinds of characters, one of them a symbol that is not at the end, such as `Pa$$w0rd-of-mine`. */
function hasMixedCharacters(value: string): boolean {
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[!#$%^&*@+?](?=.)/].filter(kind => kind.test(value))
  return kinds.length >= 3 && /[!#$%^&*@+?](?=.)/.test(value) && !/^[$%{<!]|\.\w+\(/.test(value)
}

function computeEntropy(value: string): number {
  const counts = new Map<string, number>()
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => sum - (count / value.length) * Math.log2(count / value.length), 0)
}
