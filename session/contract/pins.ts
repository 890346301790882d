import { unescapePattern } from '#host/path-pattern.ts'
import { toOneLine } from '#host/text.ts'
import { decideBrackets } from './brackets.ts'
import { matchesGlob } from './glob.ts'

/** The work as git shows it: the files before it, and each path that it changed. */
export interface WorkDiff {
  baseFiles: string[]
  changes: readonly { path: string; change: 'added' | 'changed' | 'removed' }[]
}

/** Describe how the work breaks a pin, or that a pin matches no file; undefined if all pins hold. Pure. */
export function describeBrokenPins(pins: string[], { baseFiles, changes }: WorkDiff): string | undefined {
  const globs = decideBrackets(pins, baseFiles)
  const broken = changes.filter(({ path }) => globs.some(glob => matchesGlob(glob, path)))
  if (broken.length > 0) {
    const [verb, are, them] = broken.length === 1 ? [broken[0]?.change, 'is', 'it'] : ['changed', 'are', 'them']
    return `${formatFiles(broken.map(({ path }) => path))} ${are} pinned, and the work ${verb} ${them}`
  }
  const unmatched = findUnmatchedPin(pins, baseFiles)
  return unmatched === undefined
    ? undefined
    : `${formatFiles([unmatched])} is pinned, but there was no such file before the work`
}

/** A pin that matches no file of the base, and so would hold nothing; undefined if all match one. Pure. */
export function findUnmatchedPin(pins: string[], baseFiles: string[]): string | undefined {
  return pins.find(pin => {
    const globs = decideBrackets([pin], baseFiles)
    return !baseFiles.some(file => globs.some(glob => matchesGlob(glob, file)))
  })
}

/**
 * Describe the existing files that a command names and that the work changed, also seen from a folder that it changes to, and as a
 * module of Python; undefined without any. Pure.
 */
export function describeChangedCheckFiles(command: string, { changes }: Pick<WorkDiff, 'changes'>): string | undefined {
  const text = ` ${unescapePattern(command)} `.replace(/(?<=[\s;&|()<>'"`=])(\.\/+)+/g, '')
  const folders = [...text.matchAll(/(?<=[\s;&|(])cd\s+(["']?)([^\s"';&|()]+?)\/*\1(?=[\s;&|)])/g)].map(
    match => `${match[2]}/`,
  )
  const listNames = (path: string) => {
    const seen = folders.filter(folder => path.startsWith(folder)).map(folder => path.slice(folder.length))
    const paths = [path, ...seen]
    return [...paths, ...paths.filter(each => each.endsWith('.py')).map(each => each.slice(0, -3).replaceAll('/', '.'))]
  }
  const files = changes
    .filter(({ path, change }) => change !== 'added' && listNames(path).some(name => namesFile(text, name)))
    .map(({ path }) => path)
  return files.length === 0 ? undefined : `by ${formatFiles(files)}, which the work itself changed`
}

/** Does the command contain the path as a whole, between blanks, quotes or other signs of a shell? */
function namesFile(command: string, path: string): boolean {
  const isEdge = (at: number) => /[\s;&|()<>'"`=]/.test(command[at] ?? ' ')
  for (let at = command.indexOf(path); at >= 0; at = command.indexOf(path, at + 1))
    if (isEdge(at - 1) && isEdge(at + path.length)) return true
  return false
}

const MAX_LISTED_FILES = 8

function formatFiles(files: string[]): string {
  const listed = files.slice(0, MAX_LISTED_FILES).map(file => `\`${toOneLine(file, 200)}\``)
  const more = files.length > MAX_LISTED_FILES ? ` and ${files.length - MAX_LISTED_FILES} more` : ''
  return `${listed.join(', ')}${more}`
}
