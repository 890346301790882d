import { randomBytes } from 'node:crypto'

/** Make a session id such as `2026-11-20-fix-login-a3f9`: it sorts by day, and is safe in tmux, paths and URLs. */
export function createSessionId(task: string, now: Date, suffix = randomBytes(2).toString('hex')): string {
  const words = task
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9\s-]/g, '')
    .split(/[\s-]+/)
    .filter(word => word !== '' && !stopWords.has(word))
  const slug = words.slice(0, SLUG_WORDS).join('-').slice(0, MAX_SLUG_CHARS).replace(/-+$/, '')
  return [now.toISOString().slice(0, 10), slug, suffix].filter(Boolean).join('-')
}

export function isSessionId(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}-[a-z0-9-]{1,40}$/.test(text)
}

/** A worker's name is short, and safe as the name of a window and of a folder. */
export function isWorkerName(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,23}$/.test(text) && !reservedNames.has(text)
}

const SLUG_WORDS = 4
const MAX_SLUG_CHARS = 32
const stopWords = new Set(['a', 'an', 'the', 'please', 'that', 'of', 'to', 'and', 'me', 'my'])
const reservedNames = new Set(['runner', 'orchestrator'])
