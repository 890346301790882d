import { hasWildcard, unescapePattern } from '#host/path-pattern.ts'
import { matchesGlob } from './glob.ts'

/**
 * The globs with every square bracket decided, by the files of the base. This is the one place that does so: scopes, pins,
 * the files of workers, git, the sandbox and the guard hook use what it returns. `[id]` is that folder or file if the base
 * has one there, and then nothing else. If it has none, `[id]` is a class and also the name of a new folder or file. The
 * base never changes, so nothing that an agent creates changes what a glob means. Pure.
 */
export function decideBrackets(globs: string[], baseFiles: string[]): string[] {
  return [...new Set(globs.flatMap(glob => decideGlob(glob, baseFiles)))]
}

/** Decided globs as a person would write them. Pure. */
export function formatGlobs(globs: string[]): string {
  return [...new Set(globs.map(unescapePattern))].join(', ')
}

// --- internal ---

/** The meanings of one glob: brackets are a class up to one segment, or to the end, and names from there on. */
function decideGlob(glob: string, baseFiles: string[]): string[] {
  const segments = glob.split('/').filter((segment, index, all) => index === all.length - 1 || !/^\.?$/.test(segment))
  const literal = segments.map(escapeBrackets)
  const decided: string[] = []
  const meanings: string[] = []
  for (const [index, segment] of segments.entries()) {
    const name = literal[index] ?? segment
    if (name !== segment && !isInBase([...decided, name].join('/'), baseFiles)) {
      meanings.push([...decided, ...literal.slice(index)].join('/'))
      decided.push(segment)
    } else decided.push(name)
  }
  return [decided.join('/'), ...meanings]
}

/** Brackets that a backslash makes literal already stay as they are. */
function escapeBrackets(segment: string): string {
  return segment.replace(/\\.|[[\]]/gsu, part => (part.length > 1 ? part : `\\${part}`))
}

function isInBase(glob: string, baseFiles: string[]): boolean {
  const name = unescapePattern(glob)
  if (!hasWildcard(glob)) return baseFiles.some(file => file === name || file.startsWith(`${name}/`))
  return baseFiles.some(file => file.includes('[') && matchesGlob(glob, file))
}
