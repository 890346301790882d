import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { getVersionFolder, readVersionChoice } from '#host/installed-code'
import { deleteIndex } from '#session/search-index'
import { updateAlone } from './clone.ts'
import { requireGoing, type Steps } from './prepare.ts'
import { askVersion, readHome } from './read-home.ts'
import { switchVersion } from './switch.ts'

/** The version that is used now, and which sessions it can only show or not read at all. */
export interface RollbackReport {
  installed: string
  readOnly: string[]
  unreadable: string[]
}

/**
 * Go back to the version before. It is asked first what it can read. Sessions that it cannot are named; if it cannot read the
 * settings, the queue, the projects or the notifications, that is exit 6, unless it is forced.
 */
export async function rollBack(config: Config, isForced: boolean, { say, end }: Steps): Promise<RollbackReport> {
  return updateAlone(config, async () => {
    const { current, previous } = readVersionChoice(config.cloneFolder)
    if (previous === undefined)
      throw new DispatchError(`there is no version before ${current}`, {
        exitCode: exitCodes.notFound,
        remedy: 'To see what there is: dispatch doctor. To install one: dispatch update --to TAG',
      })
    say(`asking ${previous} what it can read of this home`)
    const [now, then] = [await readHome(), await askVersion(getVersionFolder(config.cloneFolder, previous), end)]
    const problems = then.problems.filter(problem => !now.problems.includes(problem))
    if (problems.length > 0 && !isForced)
      throw new DispatchError(
        `${previous} cannot read all that the newer version has written: ${problems.join('; ')}`,
        {
          exitCode: exitCodes.dependency,
          remedy: 'Nothing was changed. To go back all the same: dispatch update --rollback --force',
        },
      )
    requireGoing(end)
    await switchVersion(previous, config, say)
    deleteIndex(config.home) // The older dispatch leaves one of a newer kind alone, and would go without.
    const known = new Set(now.readOnly)
    return {
      installed: previous,
      readOnly: then.readOnly.filter(id => !known.has(id)),
      unreadable: now.sessions.filter(id => !then.sessions.includes(id)),
    }
  })
}
