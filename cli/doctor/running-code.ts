import type { Config } from '#host/config'
import { describeOutdatedPrograms, findOutdatedPrograms, readRunningDaemon } from '#host/installed-code'
import { formatCount } from '#host/text.ts'
import { readAllViews } from '#session/status'
import { readPageCode } from '#webui'
import { listOldRunners } from '../output/code-warning.ts'
import { type DoctorResult, ok, warn } from './result.ts'

/** Do the daemon, the page and the runners of sessions run the code that is installed? */
export async function checkRunningCode({ home, workspace }: Config): Promise<DoctorResult[]> {
  const page = readPageCode(home)
  const outdated = findOutdatedPrograms(home, page)
  const { version } = outdated.installed
  const problem = describeOutdatedPrograms(outdated)
  const runners = listOldRunners(await readAllViews(workspace), version)
  if (problem === '' && runners.length === 0)
    return [ok('code', `${version} is installed, and nothing runs older code`)]
  const running = [readRunningDaemon(home)?.code.version, page?.version].filter(Boolean).join(', ')
  return [
    ...(problem ? [warn('code', `${problem}: ${running}; ${version} is installed`, `\`${outdated.remedy}\``)] : []),
    ...(runners.length > 0
      ? [
          warn(
            'code',
            `${formatCount(runners.length, 'session')} with older code than ${version}: ${runners.map(({ session }) => session.id).join(', ')}`,
            RUNNER_FIX,
          ),
        ]
      : []),
  ]
}

// --- internal ---

const RUNNER_FIX =
  'Nothing to do: a session goes on with its code. To change it at once: `dispatch stop` and `dispatch resume`'
