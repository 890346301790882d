import type { Room } from './limits.ts'
import type { Item } from './queue.ts'

/**
 * Why this item waits while others may start: what it needs and this machine lacks, or the limit of its repository. Empty where nothing
 * of that holds it back. Pure.
 */
export function explainWait(
  { state, needs, repository }: Pick<Item, 'state' | 'needs' | 'repository'>,
  { reasonByRepository }: Pick<Room, 'reasonByRepository'>,
  capabilities: string[],
): string {
  if (state !== 'waiting') return ''
  const missing = needs.filter(need => !capabilities.includes(need))
  if (missing.length > 0) return `needs ${missing.join(', ')}, which CAPABILITIES of this machine does not name`
  return reasonByRepository[repository ?? ''] ?? ''
}
