import { randomBytes } from 'node:crypto'

/** A new ntfy topic: 128 random bits as hex. Everyone who knows a topic can read it, so it is a password. */
export function createTopic(): string {
  for (;;) {
    const topic = randomBytes(16).toString('hex')
    if (!isWeakTopic(topic)) return topic
  }
}

/** Is a topic too easy to guess: shorter than 20 characters, fewer than 10 different ones, or without a digit? Pure. */
export function isWeakTopic(topic: string): boolean {
  return topic.length < 20 || new Set(topic).size < 10 || !/\d/.test(topic)
}
