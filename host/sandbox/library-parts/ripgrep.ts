/**
 * In place of the library's own, which starts a program that finds nothing (`ripgrep` in `buildRuntimeConfig`): dispatch protects
 * what lies in a product by name, and the library is to search for nothing.
 */
export async function ripGrep(): Promise<string[]> {
  return []
}

/** What the library's own throws. */
export class RipgrepError extends Error {}
