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
  const file = `outputs/${randomBytes(8).toString('hex')}.txt`
  return {
    id: `C${highest + randomInt(1, 9)}`,
    file,
    sentence: `The file ${file} exists and holds at least one line`,
    position: randomInt(0, contract.clauses.length + 1),
  }
}
