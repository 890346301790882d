import fs from 'node:fs'
import path from 'node:path'
import { install } from '../host/index.ts'

/** How the scripted services behave, as recorded by `npm run traits`: one trait a line. */
export const recorded = path.join(install, 'rehearsal/traits.txt')

export function scriptedTraits(): string[] {
  return fs.readFileSync(recorded, 'utf8').split('\n').filter(Boolean)
}
