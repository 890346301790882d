import { randomBytes } from 'node:crypto'

/** A new ntfy topic that nobody guesses: 128 bits in hex. Whoever knows a topic can read along, so it is a password. */
export function newTopic(): string {
  for (;;) {
    const topic = randomBytes(16).toString('hex')
    if (!isWeakTopic(topic)) return topic
  }
}

/**
 * Is a topic too easy to guess: less than 64 bits? Letters alone are words and digits alone are numbers, however many.
 * Else a letter of a word counts one bit or two, a digit of a date one, what stood there before or goes on in a row
 * nothing, and all else four, or 5.3 where capitals and small letters mix. Measured on random ones: of 300,000 rows of 32
 * hexadecimal digits and 300,000 UUIDs none was refused, of base64url of 18 bytes 5 in 10,000, of 16 letters and digits,
 * and of 24 small letters and digits, 40 in 10,000. Pure.
 */
export function isWeakTopic(topic: string): boolean {
  if (/^([a-z_-]*|[A-Z_-]*|[a-z]*([-_A-Z][a-z]{2,})*|[\d_-]*)$/.test(topic)) return true
  const most = /[a-z]/.test(topic) && /[A-Z]/.test(topic) ? 5.3 : 4
  const areWords = isProse(topic)
  const bits = [...topic.matchAll(parts)].flatMap(({ 0: part, index }) => {
    const each = bitsEach(part, areWords, most)
    return [...part].map((_, at) => (isRepeated(topic, index + at) || isInRow(topic, index + at) ? 0 : each))
  })
  return bits.reduce((sum, one) => sum + one, 0) < 64
}

/** Years, with month and day or without; other numbers; letters, a capital with the small ones behind it. */
const parts = /(?:19|20)\d\d(?:[-_]?[01]\d(?:[-_]?[0-3]\d)?)?|\d+|[A-Z]?[a-z]+|[A-Z]+/g

function bitsEach(part: string, areWords: boolean, most: number): number {
  if (/^(19|20)\d\d/.test(part)) return 1
  if (/\d/.test(part)) return areWords || part.length >= 6 ? 2.5 : most
  if (areWords) return 1
  const { all, usual } = pairsIn(part)
  return part.length >= 4 && usual >= 0.7 * all ? 2 : most
}

/** Pairs of letters, 9 in 10 of those in English words and 1 in 4 of random ones: a first, and those that come second. */
const seconds = new Map(
  [
    'abcdgilmnprstu baeilou caehiklortu daeiosu eacdefglmnprstvx faefio geir haeio iabcdefglmnoprstvz ke',
    'laeilostuy maeiop nacdegiost obcdglmnoprstuvw paeiloprt qu racdeimorstuy sacehiopstuy taehilorstuy',
    'uabceilmnprst vaei wae yp ze',
  ].flatMap(line => line.split(' ').map(([first = '', ...after]) => [first, after])),
)

/**
 * Is it words as a whole, also where digits stand for letters (`n0t1f1c4t10ns`)? Chance gives a quarter of the pairs; this
 * is more than four times what it strays by. Hexadecimal digits have few letters to tell it by.
 */
function isProse(topic: string): boolean {
  if (!/[g-z]/i.test(topic)) return false
  const { all, usual } = pairsIn(topic.replace(/(?<=[a-z][013457]?)[013457](?=[013457]?[a-z])/gi, letterFor))
  return usual > all / 4 + 2 * Math.sqrt(all)
}

function letterFor(digit: string): string {
  return 'oi_eas_t'.charAt(Number(digit))
}

function pairsIn(text: string): { all: number; usual: number } {
  const runs = text.match(/[A-Z]?[a-z]+|[A-Z]+/g) ?? []
  const pairs = runs.flatMap(run =>
    [...run.toLowerCase().slice(1)].map((second, at) => run.charAt(at).toLowerCase() + second),
  )
  const usual = pairs.filter(([first = '', second = '']) => seconds.get(first)?.includes(second))
  return { all: pairs.length, usual: usual.length }
}

/** Is this character in a block of three or more that has begun before? */
function isRepeated(topic: string, at: number): boolean {
  const low = topic.toLowerCase()
  return [at - 2, at - 1, at].some(from => {
    const block = low.slice(Math.max(0, from), from + 3)
    return block.length === 3 && low.indexOf(block) < from
  })
}

const rows = ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiopasdfghjklzxcvbnm']

/** Does this character go on as the two before it did, or every other one: up by one, down by one, or the same? */
function isInRow(topic: string, at: number): boolean {
  const low = topic.toLowerCase()
  return [1, 2].some(apart =>
    rows.some(row => {
      const [here = -1, before = -1, first = -1] = [0, 1, 2].map(back => row.indexOf(low[at - back * apart] ?? ' '))
      return Math.min(here, before, first) >= 0 && here - before === before - first && Math.abs(here - before) <= 1
    }),
  )
}
