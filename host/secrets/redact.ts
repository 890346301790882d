import { contextPatterns, namedValuePattern, tokenPatterns } from './patterns.ts'
import { blanksPattern, createTextView, invisiblePattern, markupPattern } from './text-view.ts'

/** A place in a text that holds a secret, and whose it is. */
interface SecretMatch {
  start: number
  end: number
  name: string
}

/**
 * The text with `[secret withheld: GitHub token]` in the place of each secret: whatever has the form of one (`token-families.ts`),
 * and the `held` values, as they are or encoded. The number of lines stays. Time grows with the length of the text alone.
 */
export function redactSecrets(
  text: string,
  knownSecrets: readonly string[] = [],
): { text: string; redactionCount: number } {
  let clean = text
  let redactionCount = 0
  for (let tries = 0; tries < 4; tries++) {
    const found = findSecrets(clean, knownSecrets)
    if (found.length === 0) break
    redactionCount += found.length
    if (found.length > MAX_SECRETS)
      return { text: `[secret withheld: ${OVERFLOW_LABEL}]${clean.replace(/[^\n]+/g, '')}`, redactionCount }
    clean = replaceSecrets(clean, found) // One that is gone may have hidden where its neighbour begins.
  }
  return { text: clean, redactionCount }
}

/** Where secrets stand in a text, in order and apart from each other. */
export function findSecrets(text: string, knownSecrets: readonly string[] = []): SecretMatch[] {
  return mergeOverlaps(findInViews(text, knownSecrets, 2))
}

/** Every word that can stand in the place of a secret. */
export const redactionLabels: string[] = [
  ...new Set([...tokenPatterns, ...contextPatterns].map(({ name }) => name)),
  ...['very many', 'private key', 'value of ours', 'encoded', 'password', 'secret', 'token', 'key'],
].map(name => `[secret withheld: ${name}]`)

/** Does a value look made up by a machine? Letters with digits among them, many different ones, and no word of a program. */
export function isGeneratedValue(value: string): boolean {
  if (value.length < 8 || !/\d/.test(value) || !/[A-Za-z]/.test(value))
    return value.length >= 8 && hasMixedCharacters(value)
  if (/^[$%{<]|\.\.\.|…|\*\*\*|x{4}|^[a-z]{2,10}:\/\//i.test(value)) return false
  if (/your[-_]|change-?me|placeholder|example|redacted|dummy/i.test(value)) return false
  if (/^[A-Za-z]+\d{0,3}([_./:-][A-Za-z]*\d{0,3})*$/.test(value)) return false // Words, and numbers behind them.
  if (/^\d[\d.:,_/-]*[A-Za-z%]{0,3}$|^v?\d+\.\d+|^\d{4}-\d\d-\d\d/.test(value)) return false // A number, a version, a time.
  if (/^[.~]{0,2}\/[a-z0-9_./-]+$/.test(value)) return false // A path.
  return computeEntropy(value) >= (value.length < 12 ? 2.5 : 2.9)
}

/** Of a text with more of them than this nothing is left. */
const MAX_SECRETS = 5000
const OVERFLOW_LABEL = 'very many'

function replaceSecrets(text: string, found: SecretMatch[]): string {
  const parts: string[] = []
  let at = 0
  for (const { start, end, name } of found) {
    parts.push(text.slice(at, start), `[secret withheld: ${name}]`, text.slice(start, end).replace(/[^\n]+/g, ''))
    at = end
  }
  return `${parts.join('')}${text.slice(at)}`
}

// --- the search ---

/** All of it in views of the text from which something was dropped, so that nothing can be hidden by cutting it up. */
function findInViews(text: string, held: readonly string[], depth: number): SecretMatch[] {
  const plain = createTextView(text, invisiblePattern)
  const bare = createTextView(text, markupPattern)
  const packed = held.length === 0 ? undefined : createTextView(text, blanksPattern)
  return [
    ...plain.toOriginal([
      ...matchPatterns(plain.text, [...tokenPatterns, ...contextPatterns]),
      ...findNamedValues(plain.text),
      ...findPrivateKeys(plain.text),
    ]),
    ...(bare.text === plain.text ? [] : bare.toOriginal(matchPatterns(bare.text, tokenPatterns))),
    ...(packed === undefined ? [] : packed.toOriginal(findKnownValues(packed.text, held))),
    ...(depth === 0 ? [] : plain.toOriginal(findEncoded(plain.text, held, depth - 1))),
  ]
}

function matchPatterns(text: string, of: typeof tokenPatterns): SecretMatch[] {
  return of.flatMap(({ name, pattern }) =>
    [...text.matchAll(pattern)].flatMap(match => {
      const [whole, ...groups] = match
      const value = groups.find(group => group !== undefined) ?? whole
      const start = match.index + whole.lastIndexOf(value)
      return /^[$%{<*]|^\[secret$/.test(value) ? [] : [{ start, end: start + value.length, name }]
    }),
  )
}

/** Values that were given a telling name and look made up. */
function findNamedValues(text: string): SecretMatch[] {
  return [...text.matchAll(namedValuePattern)].flatMap(match => {
    const [whole, word = '', all = ''] = match
    const value = all.replace(/&\w+=.*$/, '').replace(/[.:!?]+$/, '')
    const start = match.index + whole.length - all.length
    if (!isGeneratedValue(value)) return []
    const name = /pass|pwd/i.test(word)
      ? 'password'
      : /key/i.test(word)
        ? 'key'
        : /secret|cred/i.test(word)
          ? 'secret'
          : 'token'
    return [{ start, end: start + value.length, name }]
  })
}

/** The held values, in a text without blanks and markup. */
function findKnownValues(packed: string, held: readonly string[]): SecretMatch[] {
  return held.flatMap(value => {
    const needle = value.replace(blanksPattern, '')
    const found: SecretMatch[] = []
    if (needle.length < 8) return found
    for (let at = packed.indexOf(needle); at >= 0; at = packed.indexOf(needle, at + needle.length))
      found.push({ start: at, end: at + needle.length, name: 'value of ours' })
    return found
  })
}

// --- private keys ---

const keyHead = /-----(BEGIN|END) (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g
const keyLines = /(?:(?:\\[nr]|[\s|>"',])*[A-Za-z0-9+/=]{16,})+/y

/** Whole ones, and those of which the begin or the end was cut off. A mere mention is none. */
function findPrivateKeys(text: string): SecretMatch[] {
  const found: SecretMatch[] = []
  const heads = [...text.matchAll(keyHead)].map(({ 0: head, 1: side, index }) => ({
    side,
    index,
    over: index + head.length,
  }))
  for (const [at, { side, index, over }] of heads.entries()) {
    const next = heads[at + 1]
    const isEnd = side === 'END'
    const before = heads[at - 1]
    if (isEnd && before?.side === 'BEGIN') continue
    const end = isEnd
      ? over
      : next?.side === 'END' && !text.slice(over, next.index).includes('-----')
        ? next.over
        : findKeyEnd(text, over)
    const start = isEnd ? findKeyStart(text, index, before?.over ?? 0) : index
    if (/[A-Za-z0-9+/]{16}/.test(text.slice(isEnd ? start : over, isEnd ? index : end)))
      found.push({ start, end, name: 'private key' })
  }
  return found
}

function findKeyEnd(text: string, from: number): number {
  keyLines.lastIndex = from
  return from + (keyLines.exec(text)?.[0].length ?? 0)
}

/** Where the lines of a key begin that end here: as far up as every line is nothing but base64. */
function findKeyStart(text: string, to: number, least: number): number {
  let from = to
  while (from > least) {
    const start = Math.max(least, text.lastIndexOf('\n', from - 2) + 1)
    if (!/^[\s|>"',]*[A-Za-z0-9+/=]{4,}[\s"',\\n]*$/.test(text.slice(start, Math.min(from, start + 1000)))) break
    from = start
  }
  return from
}

// --- encodings ---

const base64Run = /[A-Za-z0-9+/_-]{20,}(?:\n[|> ]{0,4}[A-Za-z0-9+/_-]{4,})*={0,2}/g
const hexRun = /[0-9A-Fa-f]{32,}/g
const wordRun = /[^\s"'<>`]+/g

/** Runs of base64, hex or `%41` that hold a secret once they are decoded. All are searched as one text. */
function findEncoded(text: string, held: readonly string[], depth: number): SecretMatch[] {
  const runs: { from: number; to: number; starts: number }[] = []
  const decoded: string[] = []
  let length = 0
  const take = (from: number, run: string, clear: string) => {
    if (!isReadable(clear)) return
    runs.push({ from, to: from + run.length, starts: length })
    decoded.push(clear)
    length += clear.length + 1
  }
  for (const { 0: run, index } of text.matchAll(base64Run))
    for (const shift of [0, 1, 2, 3]) take(index, run, Buffer.from(run.slice(shift), 'base64').toString('latin1'))
  for (const { 0: run, index } of text.matchAll(hexRun)) take(index, run, Buffer.from(run, 'hex').toString('latin1'))
  if (text.includes('%'))
    for (const { 0: run, index } of text.matchAll(wordRun)) {
      if (/%[0-9A-Fa-f]{2}/.test(run)) take(index, run, decodePercent(run))
    }
  if (runs.length === 0) return []
  return findInViews(decoded.join('\n'), held, depth).flatMap(({ start, end }) => {
    const inside = runs.filter((run, at) => run.starts < end && (runs[at + 1]?.starts ?? length) > start)
    return inside.map(run => ({ start: run.from, end: run.to, name: 'encoded' }))
  })
}

function decodePercent(run: string): string {
  return run.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** Text and not bytes: of the first and the last signs nearly all can be printed. */
function isReadable(text: string): boolean {
  const sample = text.length <= 128 ? text : text.slice(0, 64) + text.slice(-64)
  return sample.length >= 8 && sample.replace(/[^\t\n\r -~]/g, '').length >= sample.length * 0.75
}

// --- the rest ---

/** Ranges that touch become one, by the name of the first. */
function mergeOverlaps(found: SecretMatch[]): SecretMatch[] {
  const merged: SecretMatch[] = []
  for (const secret of found.toSorted((one, other) => one.start - other.start || other.end - one.end)) {
    const last = merged.at(-1)
    if (last && secret.start < last.end) last.end = Math.max(last.end, secret.end)
    else merged.push({ ...secret })
  }
  return merged
}

/** Three kinds of signs, one of them neither letter nor digit and not at the end: `Pa$$word-of-mine`. */
function hasMixedCharacters(value: string): boolean {
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[!#$%^&*@+?](?=.)/].filter(kind => kind.test(value))
  return kinds.length >= 3 && /[!#$%^&*@+?](?=.)/.test(value) && !/^[$%{<!]|\.\w+\(/.test(value)
}

function computeEntropy(value: string): number {
  const counts = new Map<string, number>()
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => sum - (count / value.length) * Math.log2(count / value.length), 0)
}
