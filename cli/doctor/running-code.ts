import type { Config } from '#host/config'
import {
  CLONE_NAME,
  describeOutdatedPrograms,
  findClone,
  findOutdatedPrograms,
  getVersionFolder,
  listVersions,
  readPackageVersion,
  readRunningDaemon,
} from '#host/installed-code'
import { formatCount } from '#host/text.ts'
import { readAllViews } from '#session/status'
import { readPageCode } from '#webui'
import { describeAge, listOldRunners } from '../output/code-warning.ts'
import { compareVersions } from '../update/version-order.ts'
import { type DoctorResult, ok, warn } from './result.ts'

/** Which version is installed, and do the daemon, the page and the runners of sessions run it? */
export async function checkRunningCode({ home, workspace }: Config): Promise<DoctorResult[]> {
  const page = readPageCode(home)
  const outdated = findOutdatedPrograms(home, page)
  const { version, install } = outdated.installed
  const problem = describeOutdatedPrograms(outdated)
  const runners = listOldRunners(await readAllViews(workspace), version)
  const running = [readRunningDaemon(home)?.code.version, page?.version].filter(Boolean).join(', ')
  const ids = runners.map(({ session }) => session.id).join(', ')
  const sessions = `${formatCount(runners.length, 'session')} with ${describeAge(runners, version)} code than ${version}: ${ids}`
  const isQuiet = problem === '' && runners.length === 0
  return [
    ok('code', `${version} is installed ${describeVersions(install)}${isQuiet ? ', and nothing runs older code' : ''}`),
    ...(problem === '' ? [] : [warn('code', `${problem}: ${running}`, `\`${outdated.remedy}\``)]),
    ...(runners.length === 0 ? [] : [warn('code', sessions, RUNNER_FIX)]),
    ...checkClone(install),
  ]
}

/** Where the version is that is used, and which lie beside it: `in /opt/dispatch.versions/0.2.0-1a2b3c4d5e6f (beside it: clone)`. */
export function describeVersions(folder: string): string {
  const clone = findClone(folder)
  const others = [CLONE_NAME, ...listVersions(clone)].filter(name => getVersionFolder(clone, name) !== folder)
  return others.length === 0 ? `in ${folder}` : `in ${folder} (beside it: ${others.join(', ')})`
}

// --- internal ---

/** After `git pull` and `npm ci` in a clone that was updated by `dispatch update`, the version of that update is still used. */
function checkClone(folder: string): DoctorResult[] {
  const clone = findClone(folder)
  const [used = '', own = ''] = [readPackageVersion(folder), readPackageVersion(clone)]
  if (folder === clone || compareVersions(own, used) <= 0) return []
  const text = `the clone in ${clone} has ${own}, and ${used} of an update is used`
  return [warn('code', text, '`dispatch update` for the newest release')]
}

const RUNNER_FIX =
  'Nothing to do: a session goes on with its code. To change it at once: `dispatch stop` and `dispatch resume`'
