import type { Room } from './limits.ts'
import type { Item } from './queue.ts'

/**
 * Why this item waits while others may start: what it needs and this machine lacks, or the limit of its repository. Empty where nothing
 * of that holds it back, and where a limit of the whole queue does. Pure.
 */
export function explainWait(
  { state, needs, repository }: Pick<Item, 'state' | 'needs' | 'repository'>,
  { reason, reasonByRepository }: Pick<Room, 'reason' | 'reasonByRepository'>,
  capabilities: string[],
): string {
  if (state !== 'waiting') return ''
  const missing = needs.filter(need => !capabilities.includes(need))
  if (missing.length > 0) return `needs ${missing.join(', ')}, which CAPABILITIES of this machine does not name`
  return reason === '' ? (reasonByRepository[repository ?? ''] ?? '') : ''
}
