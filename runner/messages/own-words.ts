import { toOneLine } from '#host/text.ts'
import { resumeMessage } from '../usage-limit/usage-limit.ts'
import { verdictHeading } from './type-into-terminal.ts'

const MAX_LISTED_FILES = 20
const MAX_NAME_CHARS = 200
const HEADING = 'Dispatch itself writes this, and not the human:'

/** Mark a prompt as one of dispatch itself. */
export function frameOwnWords(text: string): string {
  return `${HEADING}\n${text}`
}

/** What an agent reads when another session has landed changes to the same files. Pure. */
export function describeOverlap(session: string, branch: string, files: string[]): string {
  const names = files.slice(0, MAX_LISTED_FILES).map(file => `- ${JSON.stringify(toOneLine(file, MAX_NAME_CHARS))}`)
  const more = files.length > MAX_LISTED_FILES ? [`- and ${files.length - MAX_LISTED_FILES} more`] : []
  return [
    `Another session (${session}) has landed on ${toOneLine(branch, MAX_NAME_CHARS)}. It changed files that this session changes too:`,
    ...[...names, ...more],
    'Your repository stays on the commit that it began with, so continue as planned. When this work lands, dispatch puts it on top of',
    'that branch and runs every check again there. Keep the changes to these files small, so that both merge.',
  ].join('\n')
}

/** Does a prompt come from dispatch itself? Then it is no answer of a human. */
export function isOwnWords(prompt = ''): boolean {
  return [HEADING, verdictHeading, resumeMessage].some(words => prompt.includes(words))
}
