/** A name in quotes as in C, as git's configuration and attributes have it. Pure. */
export function quoteName(name: string): string {
  return `"${name.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`
}
