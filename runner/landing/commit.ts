import fs from 'node:fs'
import path from 'node:path'
import { commitAsUser, type NewCommit } from '#host/git/user'
import { redactSecrets } from '#host/secrets'
import { toOneLine } from '#host/text.ts'
import type { WorkToApply } from '#session'
import { readCurrentVerdict } from '#session/evidence'
import { type LandingAuthor, renderWorkMessage } from '#session/landing'
import type { RunnerContext } from '../context.ts'

/** In whose name the commits are. */
export interface Authorship {
  /** The user's checkout, whose git configuration and identity count. */
  checkout: string
  /** Who is the author. With `both`, the worker is named as well. */
  author: LandingAuthor
  /** May git ask for the password of a signing key? */
  isAtTerminal: boolean
  /** Left out of messages. */
  secrets: string[]
}

/** The message of a squashed commit: the task, and the clauses that were proved. */
export function composeMessage({ session, status }: RunnerContext): string {
  const task = fs.readFileSync(session.paths.task, 'utf8')
  const verdict = readCurrentVerdict(session.paths, status)
  return renderWorkMessage({ sessionId: session.id, task, verdict })
}

/** Where a commit comes from: the session, its verdict, and the tree that the verdict is about. */
export function composeTrailers({ session, status }: RunnerContext, { tree }: WorkToApply): string {
  const { verdict, contract } = status
  const proved = `${verdict?.verdict ?? 'none'}, contract ${contract?.sha256.slice(0, 16) ?? 'none'}`
  return [`Dispatch-Session: ${session.id}`, `Dispatch-Verdict: ${proved}`, `Dispatch-Tree: ${tree}`].join('\n')
}

/** Create a commit in the session's repository. Name, key and signature are those of the user; the message loses secrets. */
export async function createCommit(
  { session }: RunnerContext,
  { checkout, author, isAtTerminal, secrets }: Authorship,
  commit: NewCommit,
): Promise<string> {
  const worker = nameWorker(commit.author)
  const coAuthor = author === 'both' ? `Co-authored-by: ${worker.name} <${worker.email}>\n` : ''
  const message = redactSecrets(`${commit.message.trimEnd()}\n${coAuthor}`, secrets).text
  const objectFolder = path.join(session.paths.bareRepository, 'objects')
  const own = { ...commit, message, author: author === 'worker' ? worker : undefined }
  return commitAsUser(checkout, own, { isAtTerminal, objectFolder })
}

// --- internal ---

const MAX_NAME_CHARS = 100
/** What git leaves out at both ends of a name. */
const crud = /^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g
const usualWorker = { name: 'Claude Dispatch worker', email: 'worker@localhost' }

/** A worker can write any name. One of which git would leave nothing, or that would end the line, is not taken. */
function nameWorker(author: NewCommit['author']): { name: string; email: string } {
  const clean = (text = '') => toOneLine(text, MAX_NAME_CHARS).replace(/[<>]/g, '').replace(crud, '')
  const [name, email] = [clean(author?.name), clean(author?.email)]
  return name === '' || email === '' ? usualWorker : { name, email }
}
