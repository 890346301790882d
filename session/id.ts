import { randomBytes } from 'node:crypto'

/** A session's name: `2026-11-20-fix-login-a3f9`. Sortable, sayable, safe in tmux, in a path and in a URL. */
export function createSessionId(task: string, now: Date, random = randomBytes(2).toString('hex')): string {
  const words = task
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9\s-]/g, '')
    .split(/[\s-]+/)
    .filter(word => word !== '' && !stopWords.has(word))
  const said = words.slice(0, 4).join('-').slice(0, 32).replace(/-+$/, '')
  return [now.toISOString().slice(0, 10), said, random].filter(Boolean).join('-')
}

export function isSessionId(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}-[a-z0-9-]{1,40}$/.test(text)
}

/** A worker's name: short, and safe in a window name and a path. */
export function isWorkerName(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,23}$/.test(text) && !reservedNames.has(text)
}

const stopWords = new Set(['a', 'an', 'the', 'please', 'that', 'of', 'to', 'and', 'me', 'my'])
const reservedNames = new Set(['runner', 'orchestrator'])
