import { randomBytes, randomInt } from 'node:crypto'
import type { Contract } from '#session/contract'

/** A clause that cannot be true, inserted at `position` among the contract's clauses. */
export interface Canary {
  id: string
  file: string
  sentence: string
  position: number
}

/** A clause that looks like the others and cannot be true. A judge that says yes to it says yes to anything. */
export function createCanary(contract: Contract): Canary {
  const highest = Math.max(0, ...contract.clauses.map(clause => Number(clause.id.slice(1)) || 0))
  const folder = folders[randomInt(0, folders.length)]
  const file = `${folder}/${randomBytes(randomInt(4, 9)).toString('hex')}${endings[randomInt(0, endings.length)]}`
  return {
    id: `C${highest + randomInt(1, 9)}`,
    file,
    sentence: sentences[randomInt(0, sentences.length)]?.(file) ?? '',
    position: randomInt(0, contract.clauses.length + 1),
  }
}

// --- internal ---

/** It has more than one form, so that a text in the contract cannot say which clause it is. */
const folders = ['outputs', 'docs', 'src', 'data', 'assets']
const endings = ['.txt', '.md', '.json', '.csv', '']
const sentences: ((file: string) => string)[] = [
  file => `The file ${file} exists and holds at least one line`,
  file => `There is a file ${file}, and it is not empty`,
  file => `${file} is one of the files after the work`,
  file => `The work contains ${file}, with at least 20 bytes`,
]
