import { resumeMessage } from '../orchestrator/usage-limit.ts'
import { verdictHeading } from './type-into-terminal.ts'

const HEADING = 'Dispatch itself writes this, and not the human:'

/** Mark a prompt as one of dispatch itself. */
export function frameOwnWords(text: string): string {
  return `${HEADING}\n${text}`
}

/** Does a prompt come from dispatch itself? Then it is no answer of a human. */
export function isOwnWords(prompt = ''): boolean {
  return [HEADING, verdictHeading, resumeMessage].some(words => prompt.includes(words))
}
