import fs from 'node:fs'
import path from 'node:path'

/** How the scripted services behave, as recorded by `npm run traits`: one trait a line. */
export const recorded = path.join(import.meta.dirname, 'traits.txt')

export function scriptedTraits(): string[] {
  return fs.readFileSync(recorded, 'utf8').split('\n').filter(Boolean)
}
