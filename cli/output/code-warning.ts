import type { Config } from '#host/config'
import { describeOutdatedPrograms, findOutdatedPrograms, isOtherBuild } from '#host/installed-code'
import { formatCount } from '#host/text.ts'
import type { SessionView } from '#session/status'
import { readPageCode } from '#webui'
import { compareVersions } from '../update/version-order.ts'
import { paint, print } from './terminal.ts'

/** One line about what runs older code than is installed, if anything does. It reads four small files. */
export function printCodeWarning({ home }: Config, views: SessionView[]): void {
  const outdated = findOutdatedPrograms(home, readPageCode(home))
  const programs = describeOutdatedPrograms(outdated)
  const old = listOldRunners(views, outdated.installed.version)
  const count = old.length
  const runners = `${formatCount(count, 'session')} ${count === 1 ? 'goes' : 'go'} on with ${describeAge(old, outdated.installed.version)} code to the end`
  const texts = [...(programs ? [`${programs}: ${outdated.remedy}`] : []), ...(count > 0 ? [runners] : [])]
  if (texts.length > 0) print(paint('dim', texts.join('; ')))
}

/** `older`; after a rollback, sessions may go on with `newer` code. Pure. */
export function describeAge(views: SessionView[], installedVersion: string): 'older' | 'newer' | 'other' {
  const isNewer = views.map(({ status }) => compareVersions(status.runnerVersion ?? '', installedVersion) > 0)
  if (isNewer.includes(true)) return isNewer.includes(false) ? 'other' : 'newer'
  return 'older'
}

/** The sessions whose runner lives and runs other code than is installed. Not known for that of an older dispatch. Pure. */
export function listOldRunners(views: SessionView[], installedVersion: string): SessionView[] {
  return views.filter(({ status: { runnerVersion }, runnerLiveness }) => {
    return runnerLiveness === 'alive' && runnerVersion !== undefined && isOtherBuild(runnerVersion, installedVersion)
  })
}
