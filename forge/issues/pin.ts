import { sanitize } from '#host/text.ts'
import type { QuotedBlock } from '#session/task'
import { hasClaimMark } from './claim-mark.ts'
import type { Issue, IssueComment, Writing } from './issue.ts'
import { isTrusted } from './trust.ts'
import { removeHidden } from './visible-text.ts'

/** The moment that counts: what was written later is not part of the task. */
export interface Trigger {
  /** A person's command, a label, a milestone, or that the author may start work. */
  kind: 'command' | 'label' | 'milestone'
  by: string
  /** ISO 8601, by the clock of GitHub. */
  at: string
}

/** Words that are not part of a task, and why. */
export interface Ignored {
  author: string
  association: string
  reason: 'not trusted' | 'written later' | 'edited later' | 'too long' | 'hidden'
}

/** The words of an issue that are its task, and those that are not; or why there is no such task. */
export type PinnedIssue = { blocks: QuotedBlock[]; ignored: Ignored[] } | { refusal: string }

/**
 * The task of an issue as it was at the trigger: its title and body, and the comments of trusted people before that. After a label was set,
 * a changed title or body is refused until it is set again, because who set it has not seen them. Pure.
 */
export function pinIssue(
  issue: Issue,
  comments: IssueComment[],
  renamedAt: string | null,
  trigger: Trigger,
): PinnedIssue {
  const again = trigger.kind === 'command' ? 'Run the same command again.' : `Set the ${trigger.kind} again.`
  const since = trigger.kind === 'command' ? 'you asked for it' : `@${trigger.by} set the ${trigger.kind}`
  if (issue.editedAt !== null && !isBefore(issue.editedAt, trigger))
    return { refusal: `its text was edited after ${since}. Read it. ${again}` }
  if (renamedAt !== null && !isBefore(renamedAt, trigger))
    return { refusal: `its title was changed after ${since}. Read it. ${again}` }
  const ignored: Ignored[] = []
  const blocks: QuotedBlock[] = []
  let room = MAX_TASK_CHARS
  const add = (writing: Writing, what: string, title = '') => {
    const { author, association } = writing
    const body = writing.body.replace(/\r\n?/g, '\n')
    const shown = sanitize(removeHidden(body))
    if (shown !== body) ignored.push({ author, association, reason: 'hidden' })
    const visible = `${sanitize(title)}${shown}` // A title is no Markdown: all of it is shown.
    if (visible.length > room) return void ignored.push({ author, association, reason: 'too long' })
    room -= visible.length
    blocks.push({ heading: `${what} by @${author} (${association}), ${writing.createdAt}`, text: visible })
  }
  add(issue, `issue ${issue.number}`, `${issue.title}\n\n`)
  for (const comment of comments) {
    const reason = findReason(comment, trigger)
    const { author, association, body } = comment
    if (isTrusted(association) && hasClaimMark(body)) continue
    if (reason === undefined) add(comment, 'comment')
    else ignored.push({ author, association, reason })
  }
  return { blocks, ignored }
}

// --- internal ---

/** The longest body that GitHub takes has 65,536. */
const MAX_TASK_CHARS = 200_000

function findReason(
  { association, createdAt, editedAt }: IssueComment,
  trigger: Trigger,
): Ignored['reason'] | undefined {
  if (!isTrusted(association)) return 'not trusted'
  if (!isBefore(createdAt, trigger)) return 'written later'
  return editedAt !== null && !isBefore(editedAt, trigger) ? 'edited later' : undefined
}

/** GitHub counts whole seconds. What came in the second of a label may have come after it; a command has just read all there is. */
function isBefore(at: string, trigger: Trigger): boolean {
  const [time, limit] = [Date.parse(at), Date.parse(trigger.at)]
  return trigger.kind === 'command' ? Math.floor(time / 1000) <= Math.floor(limit / 1000) : time < limit
}
