import { formatCount, formatNames } from '#host/text.ts'
import { escapeMarkdown } from '#session/traceability'
import { MAX_RETRY_COUNT } from '../landing/outcome.ts'
import type { PullRequestRecord } from './record.ts'

/** What a pull request tells of what came back and of how to ask for more, below all else in its body. Pure. */
export function renderStatusWords({ state, reason, retries, attempt, ignored }: PullRequestRecord): string {
  const names = attempt === null ? '' : formatNames(attempt.findings.map(({ title }) => title))
  const about = escapeMarkdown(names, MAX_LINE_CHARS)
  const counted = `attempt ${retries} of ${MAX_RETRY_COUNT}`
  const lines = [
    state === 'retrying' && `**dispatch** works on what came back (${counted}): ${about}.`,
    state === 'needs you' && `**dispatch** does not go on by itself: ${escapeMarkdown(reason, MAX_LINE_CHARS)}.`,
    state !== 'retrying' && attempt?.outcome?.commit && `**dispatch** has worked on what came back: ${about}.`,
    ignored.length > 0 &&
      `Not read, because their authors do not decide here: ${ignored.map(renderIgnored).join(', ')}.`,
    'To have something changed, comment on a line or write a review. In the conversation, write `/dispatch` and what it is.',
  ]
  return lines.filter(line => typeof line === 'string').join('\n\n')
}

// --- internal ---

const MAX_LINE_CHARS = 300

/** Without the @ that would call them. */
function renderIgnored({ author, association, count }: PullRequestRecord['ignored'][number]): string {
  return `\`${author.replaceAll('`', "'")}\` (${association}, ${formatCount(count, 'comment')})`
}
