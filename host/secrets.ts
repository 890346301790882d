import { families, inContext, named } from './token-families.ts'
import { blanks, invisible, markup, viewOf } from './views.ts'

export * from './held.ts'

/** A place in a text that holds a secret, and whose it is. */
interface Secret {
  from: number
  to: number
  name: string
}

/**
 * The text with `[secret withheld: GitHub token]` in the place of each secret: whatever has the form of one (`token-families.ts`),
 * and the `held` values, as they are or encoded. The number of lines stays. Time grows with the length of the text alone.
 */
export function withoutSecrets(text: string, held: readonly string[] = []): { text: string; withheld: number } {
  let clean = text
  let withheld = 0
  for (let tries = 0; tries < 4; tries++) {
    const found = secretsIn(clean, held)
    if (found.length === 0) break
    withheld += found.length
    if (found.length > most) return { text: `[secret withheld: ${many}]${clean.replace(/[^\n]+/g, '')}`, withheld }
    clean = replaced(clean, found) // One that is gone may have hidden where its neighbour begins.
  }
  return { text: clean, withheld }
}

/** Where secrets stand in a text, in order and apart from each other. */
export function secretsIn(text: string, held: readonly string[] = []): Secret[] {
  return apart(find(text, held, 2))
}

/** Every word that can stand in the place of a secret. */
export const withheldWords: string[] = [
  ...new Set([...families, ...inContext].map(({ name }) => name)),
  ...['very many', 'private key', 'value of ours', 'encoded', 'password', 'secret', 'token', 'key'],
].map(name => `[secret withheld: ${name}]`)

/** Does a value look made up by a machine? Letters with digits among them, many different ones, and no word of a program. */
export function isMadeUp(value: string): boolean {
  if (value.length < 8 || !/\d/.test(value) || !/[A-Za-z]/.test(value)) return value.length >= 8 && isMotley(value)
  if (/^[$%{<]|\.\.\.|…|\*\*\*|x{4}|^[a-z]{2,10}:\/\//i.test(value)) return false
  if (/your[-_]|change-?me|placeholder|example|redacted|dummy/i.test(value)) return false
  if (/^[A-Za-z]+\d{0,3}([_./:-][A-Za-z]*\d{0,3})*$/.test(value)) return false // Words, and numbers behind them.
  if (/^\d[\d.:,_/-]*[A-Za-z%]{0,3}$|^v?\d+\.\d+|^\d{4}-\d\d-\d\d/.test(value)) return false // A number, a version, a time.
  if (/^[.~]{0,2}\/[a-z0-9_./-]+$/.test(value)) return false // A path.
  return entropyOf(value) >= (value.length < 12 ? 2.5 : 2.9)
}

/** Of a text with more of them than this nothing is left. */
const most = 5000
const many = 'very many'

function replaced(text: string, found: Secret[]): string {
  const parts: string[] = []
  let at = 0
  for (const { from, to, name } of found) {
    parts.push(text.slice(at, from), `[secret withheld: ${name}]`, text.slice(from, to).replace(/[^\n]+/g, ''))
    at = to
  }
  return `${parts.join('')}${text.slice(at)}`
}

// --- the search ---

/** All of it in views of the text from which something was dropped, so that nothing can be hidden by cutting it up. */
function find(text: string, held: readonly string[], depth: number): Secret[] {
  const plain = viewOf(text, invisible)
  const bare = viewOf(text, markup)
  const packed = held.length === 0 ? undefined : viewOf(text, blanks)
  return [
    ...plain.back([
      ...matches(plain.text, [...families, ...inContext]),
      ...namedOnes(plain.text),
      ...privateKeys(plain.text),
    ]),
    ...(bare.text === plain.text ? [] : bare.back(matches(bare.text, families))),
    ...(packed === undefined ? [] : packed.back(known(packed.text, held))),
    ...(depth === 0 ? [] : plain.back(encoded(plain.text, held, depth - 1))),
  ]
}

function matches(text: string, of: typeof families): Secret[] {
  return of.flatMap(({ name, pattern }) =>
    [...text.matchAll(pattern)].flatMap(match => {
      const [whole, ...groups] = match
      const value = groups.find(group => group !== undefined) ?? whole
      const from = match.index + whole.lastIndexOf(value)
      return /^[$%{<*]|^\[secret$/.test(value) ? [] : [{ from, to: from + value.length, name }]
    }),
  )
}

/** Values that were given a telling name and look made up. */
function namedOnes(text: string): Secret[] {
  return [...text.matchAll(named)].flatMap(match => {
    const [whole, word = '', all = ''] = match
    const value = all.replace(/&\w+=.*$/, '').replace(/[.:!?]+$/, '')
    const from = match.index + whole.length - all.length
    if (!isMadeUp(value)) return []
    const name = /pass|pwd/i.test(word)
      ? 'password'
      : /key/i.test(word)
        ? 'key'
        : /secret|cred/i.test(word)
          ? 'secret'
          : 'token'
    return [{ from, to: from + value.length, name }]
  })
}

/** The held values, in a text without blanks and markup. */
function known(packed: string, held: readonly string[]): Secret[] {
  return held.flatMap(value => {
    const needle = value.replace(blanks, '')
    const found: Secret[] = []
    if (needle.length < 8) return found
    for (let at = packed.indexOf(needle); at >= 0; at = packed.indexOf(needle, at + needle.length))
      found.push({ from: at, to: at + needle.length, name: 'value of ours' })
    return found
  })
}

// --- private keys ---

const keyHead = /-----(BEGIN|END) (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g
const keyLines = /(?:(?:\\[nr]|[\s|>"',])*[A-Za-z0-9+/=]{16,})+/y

/** Whole ones, and those of which the begin or the end was cut off. A mere mention is none. */
function privateKeys(text: string): Secret[] {
  const found: Secret[] = []
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
    const to = isEnd
      ? over
      : next?.side === 'END' && !text.slice(over, next.index).includes('-----')
        ? next.over
        : bodyEnd(text, over)
    const from = isEnd ? bodyBegin(text, index, before?.over ?? 0) : index
    if (/[A-Za-z0-9+/]{16}/.test(text.slice(isEnd ? from : over, isEnd ? index : to)))
      found.push({ from, to, name: 'private key' })
  }
  return found
}

function bodyEnd(text: string, from: number): number {
  keyLines.lastIndex = from
  return from + (keyLines.exec(text)?.[0].length ?? 0)
}

/** Where the lines of a key begin that end here: as far up as every line is nothing but base64. */
function bodyBegin(text: string, to: number, least: number): number {
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
function encoded(text: string, held: readonly string[], depth: number): Secret[] {
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
      if (/%[0-9A-Fa-f]{2}/.test(run)) take(index, run, unescaped(run))
    }
  if (runs.length === 0) return []
  return find(decoded.join('\n'), held, depth).flatMap(({ from, to }) => {
    const inside = runs.filter((run, at) => run.starts < to && (runs[at + 1]?.starts ?? length) > from)
    return inside.map(run => ({ from: run.from, to: run.to, name: 'encoded' }))
  })
}

function unescaped(run: string): string {
  return run.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** Text and not bytes: of the first and the last signs nearly all can be printed. */
function isReadable(text: string): boolean {
  const sample = text.length <= 128 ? text : text.slice(0, 64) + text.slice(-64)
  return sample.length >= 8 && sample.replace(/[^\t\n\r -~]/g, '').length >= sample.length * 0.75
}

// --- the rest ---

/** Ranges that touch become one, by the name of the first. */
function apart(found: Secret[]): Secret[] {
  const merged: Secret[] = []
  for (const secret of found.toSorted((one, other) => one.from - other.from || other.to - one.to)) {
    const last = merged.at(-1)
    if (last && secret.from < last.to) last.to = Math.max(last.to, secret.to)
    else merged.push({ ...secret })
  }
  return merged
}

/** Three kinds of signs, one of them neither letter nor digit and not at the end: `Pa$$word-of-mine`. */
function isMotley(value: string): boolean {
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[!#$%^&*@+?](?=.)/].filter(kind => kind.test(value))
  return kinds.length >= 3 && /[!#$%^&*@+?](?=.)/.test(value) && !/^[$%{<!]|\.\w+\(/.test(value)
}

function entropyOf(value: string): number {
  const counts = new Map<string, number>()
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => sum - (count / value.length) * Math.log2(count / value.length), 0)
}
