/** Does the text have a letter of a pattern (`*`, `?`, `[`) that no backslash makes literal? */
export function hasWildcard(text: string): boolean {
  return /[*?[]/.test(text.replace(/\\./gsu, ''))
}

/** The text that a pattern without wildcards stands for. */
export function unescapePattern(text: string): string {
  return text.replace(/\\(.)/gsu, '$1')
}
