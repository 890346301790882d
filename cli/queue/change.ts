import { DispatchError, exitCodes } from '#host/error.ts'
import type { Item, Queue } from '#queue'
import { UsageError } from '../command.ts'
import { parsePriority } from '../input/queue-options.ts'

/** Move an item, try it again or take it out. Exit 5 if its state does not allow that. */
export async function changeItem(
  queue: Queue,
  item: Item,
  action: string,
  values: { priority?: string; first?: boolean },
): Promise<void> {
  if (action === 'move') {
    if (values.priority === undefined && !values.first) throw new UsageError('move needs --priority or --first')
    const change = {
      ...(values.priority !== undefined && { priority: parsePriority(values.priority) }),
      ...(values.first && { first: true }),
    }
    if (!(await queue.move(item.id, change))) throw createStateError(item, 'only what waits can be moved')
  }
  if (action === 'again' && (await queue.decide(item.id, 'again')) === 'already')
    throw createStateError(item, 'only what needs you can be tried again')
  if (action === 'rm' && !(await queue.cancel(item.id, 'you took it out'))) throw createStateError(item, 'it has ended')
}

// --- internal ---

function createStateError({ id, state }: Item, rule: string): DispatchError {
  return new DispatchError(`${id} is ${state}: ${rule}`, {
    exitCode: exitCodes.conflict,
    remedy: `To see it: dispatch queue show ${id}`,
  })
}
