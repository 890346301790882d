import { randomBytes } from 'node:crypto'

/** A new ntfy topic that nobody guesses: 128 bits in hex. Whoever knows a topic can read along, so it is a password. */
export function newTopic(): string {
  for (;;) {
    const topic = randomBytes(16).toString('hex')
    if (!isWeakTopic(topic)) return topic
  }
}

/**
 * Is a topic too easy to guess: less than 64 bits? Words and long numbers count two bits a character, rows such as `aaa`
 * or `1234` a quarter, all else four, or five where capitals and small letters mix. Careful on purpose: of 300,000 random
 * rows of 32 hexadecimal digits 4 were refused. Pure.
 */
export function isWeakTopic(topic: string): boolean {
  const onlyWords = /^([a-z_-]*|[A-Z_-]*)$/.test(topic)
  const most = /[a-z]/.test(topic) && /[A-Z]/.test(topic) ? 5 : 4
  const parts = topic.match(/[A-Z]?[a-z]+|[A-Z]+|\d+|[-_]/g) ?? []
  const bits = parts.flatMap(part => {
    const each = onlyWords || part.length >= (/\d/.test(part) ? 6 : 4) ? 2 : most
    return [...part].map((_, at) => (inRow(part, at) ? 0.25 : each))
  })
  return bits.reduce((sum, one) => sum + one, 0) < 64
}

/** Does this character go on as the two before it did: up by one, down by one, or the same? */
function inRow(part: string, at: number): boolean {
  const step = part.charCodeAt(at) - part.charCodeAt(at - 1)
  return at > 1 && Math.abs(step) <= 1 && step === part.charCodeAt(at - 1) - part.charCodeAt(at - 2)
}
