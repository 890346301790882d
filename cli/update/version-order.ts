/** A version or a tag as numbers: `v1.2.3-rc.1` is 1, 2, 3 and `rc.1`. */
interface Version {
  numbers: number[]
  preRelease: string
}

/** The newest tag that is a release and newer than `installed`; undefined without one. Pure. */
export function findNewestRelease(tags: Iterable<string>, installed: string): string | undefined {
  const releases = [...tags].filter(tag => tag.startsWith('v') && parseVersion(tag)?.preRelease === '')
  const [newest] = releases.toSorted((a, b) => compareVersions(b, a))
  return newest !== undefined && compareVersions(newest, installed) > 0 ? newest : undefined
}

/**
 * Is the first version older (below 0) or newer (above 0) than the second? The order is that of Semantic Versioning. A text that is no
 * version is older than each. Pure.
 */
export function compareVersions(first: string, second: string): number {
  const [a, b] = [parseVersion(first), parseVersion(second)]
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  for (const [at, number] of a.numbers.entries()) {
    const difference = number - (b.numbers[at] ?? 0)
    if (difference !== 0) return difference
  }
  if (a.preRelease === '' || b.preRelease === '') return Number(a.preRelease === '') - Number(b.preRelease === '')
  return comparePreReleases(a.preRelease.split('.'), b.preRelease.split('.'))
}

/** Is this text a version, such as `1.2.3` or `1.2.3-rc.1`? Pure. */
export function isVersion(text: string): boolean {
  return !text.startsWith('v') && parseVersion(text) !== undefined
}

// --- internal ---

function parseVersion(text: string): Version | undefined {
  const pattern = /^v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/
  const [, major, minor, patch, preRelease = ''] = pattern.exec(text) ?? []
  return major === undefined ? undefined : { numbers: [major, minor, patch].map(Number), preRelease }
}

/** Numbers are older than words, and a shorter one is older than one that it begins. */
function comparePreReleases(first: string[], second: string[]): number {
  for (const [at, a] of first.entries()) {
    const b = second[at]
    if (b === undefined) return 1
    if (a === b) continue
    const [isNumber, isOtherNumber] = [a, b].map(part => /^\d+$/.test(part))
    if (isNumber && isOtherNumber) return Number(a) - Number(b)
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
    return a < b ? -1 : 1
  }
  return first.length - second.length
}
