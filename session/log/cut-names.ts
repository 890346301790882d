import { toOneLine } from '#host/text.ts'

/** Names of files as an event holds them: a line of the log is bounded, and a name can be long. Pure. */
export function cutNames(names: string[]): string[] {
  return names.slice(0, MAX_RECORDED_FILES).map(name => toOneLine(name, MAX_RECORDED_CHARS))
}

// --- internal ---

const MAX_RECORDED_FILES = 50
const MAX_RECORDED_CHARS = 300
