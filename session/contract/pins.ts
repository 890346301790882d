import { toOneLine } from '#host/text.ts'
import { matchesGlob } from './glob.ts'

/** The work as git shows it: the files before it, and each path that it changed. */
export interface WorkDiff {
  baseFiles: string[]
  changes: { path: string; change: 'added' | 'changed' | 'removed' }[]
}

/** Describe how the work breaks a pin, or that a pin matches no file; undefined if all pins hold. Pure. */
export function describeBrokenPins(pins: string[], { baseFiles, changes }: WorkDiff): string | undefined {
  const broken = changes.filter(({ path }) => pins.some(pin => matchesGlob(pin, path)))
  if (broken.length > 0) {
    const [verb, are, them] = broken.length === 1 ? [broken[0]?.change, 'is', 'it'] : ['changed', 'are', 'them']
    return `${formatFiles(broken.map(({ path }) => path))} ${are} pinned, and the work ${verb} ${them}`
  }
  const unmatched = pins.find(pin => !baseFiles.some(file => matchesGlob(pin, file)))
  return unmatched === undefined
    ? undefined
    : `${formatFiles([unmatched])} is pinned, but there was no such file before the work`
}

/** Describe the existing files that a command names and that the work changed; undefined without any. Pure. */
export function describeChangedCheckFiles(command: string, { changes }: Pick<WorkDiff, 'changes'>): string | undefined {
  const words = new Set(command.split(/[\s;&|()<>'"`=]+/).map(word => word.replace(/^(\.\/+)+/, '')))
  const files = changes.filter(({ path, change }) => change !== 'added' && words.has(path)).map(({ path }) => path)
  return files.length === 0 ? undefined : `by ${formatFiles(files)}, which the work itself changed`
}

const MAX_LISTED_FILES = 8

function formatFiles(files: string[]): string {
  const listed = files.slice(0, MAX_LISTED_FILES).map(file => `\`${toOneLine(file, 200)}\``)
  const more = files.length > MAX_LISTED_FILES ? ` and ${files.length - MAX_LISTED_FILES} more` : ''
  return `${listed.join(', ')}${more}`
}
