import type { Config } from '#host/config'
import {
  CLONE_NAME,
  describeOutdatedPrograms,
  findClone,
  findInstalledFolder,
  findOutdatedPrograms,
  getVersionFolder,
  listVersions,
  readPackageVersion,
  readRunningDaemon,
} from '#host/installed-code'
import { formatCount } from '#host/text.ts'
import { readAllViews } from '#session/status'
import { readPageCode } from '#webui'
import { listOldRunners } from '../output/code-warning.ts'
import { compareVersions } from '../update/version-order.ts'
import { type DoctorResult, ok, warn } from './result.ts'

/** Do the daemon, the page and the runners of sessions run the code that is installed? */
export async function checkRunningCode({ home, workspace }: Config): Promise<DoctorResult[]> {
  const page = readPageCode(home)
  const outdated = findOutdatedPrograms(home, page)
  const { version } = outdated.installed
  const problem = describeOutdatedPrograms(outdated)
  const runners = listOldRunners(await readAllViews(workspace), version)
  const place = describeVersions(outdated.installed.install)
  if (problem === '' && runners.length === 0)
    return [ok('code', `${version} is installed ${place}, and nothing runs older code`), ...checkClone()]
  const running = [readRunningDaemon(home)?.code.version, page?.version].filter(Boolean).join(', ')
  return [
    ...(problem
      ? [warn('code', `${problem}: ${running}; ${version} is installed ${place}`, `\`${outdated.remedy}\``)]
      : []),
    ...(runners.length > 0
      ? [
          warn(
            'code',
            `${formatCount(runners.length, 'session')} with older code than ${version}: ${runners.map(({ session }) => session.id).join(', ')}`,
            RUNNER_FIX,
          ),
        ]
      : []),
    ...checkClone(),
  ]
}

// --- internal ---

/** `in ~/claude-dispatch.versions/0.2.0-1a2b3c4d5e6f (beside it: clone, 0.1.9-0123456789ab)` */
function describeVersions(folder: string): string {
  const clone = findClone(folder)
  const others = [CLONE_NAME, ...listVersions(clone)].filter(name => getVersionFolder(clone, name) !== folder)
  return others.length === 0 ? `in ${folder}` : `in ${folder} (beside it: ${others.join(', ')})`
}

/** After `git pull` and `npm ci` in a clone that has been updated by `dispatch update`, the version of that update is still used. */
function checkClone(): DoctorResult[] {
  const folder = findInstalledFolder()
  const clone = findClone(folder)
  const [used = '', own = ''] = [readPackageVersion(folder), readPackageVersion(clone)]
  if (folder === clone || compareVersions(own, used) <= 0) return []
  const text = `the clone in ${clone} has ${own}, and ${used} of an update is used`
  return [warn('code', text, '`dispatch update` for the newest release')]
}

const RUNNER_FIX =
  'Nothing to do: a session goes on with its code. To change it at once: `dispatch stop` and `dispatch resume`'
