import { DispatchError } from '#host/error.ts'
import { checkBuild } from './build.ts'
import { checkChannels } from './channels.ts'
import { checkConfiguration } from './configuration.ts'
import { checkHome } from './home.ts'
import { checkHooks } from './hooks.ts'
import { checkJudge } from './judge.ts'
import { checkLogin } from './login.ts'
import { checkPage } from './page.ts'
import { checkPrograms } from './programs.ts'
import { checkRepository } from './repository.ts'
import { type DoctorResult, fail } from './result.ts'
import { checkSandbox } from './sandbox.ts'
import { checkSessions } from './sessions.ts'

/** Every check of `dispatch doctor`. Those that depend on the settings are left out while the settings are invalid. */
export async function runChecks({ online, notify }: { online: boolean; notify: boolean }): Promise<DoctorResult[]> {
  const { config, results, isValid } = checkConfiguration()
  const checks: (() => Promise<DoctorResult | DoctorResult[]>)[] = [
    () => checkPrograms(config.home),
    () => checkLogin(config.claudeFolder, config.workspace),
    () => checkHooks(config),
    ...(isValid
      ? [() => checkJudge(config, online), () => checkChannels(config, notify), () => checkPage(config)]
      : []),
    () => checkHome(config),
    () => checkSandbox(config),
    () => checkSessions(config),
    () => checkRepository([config.installFolder, config.home]),
  ]
  const more = await Promise.all(checks.map(check => check().catch(toFailedResult)))
  return [...results, checkBuild(), ...more.flat()]
}

/** A check that fails is a result too, so that the others still report theirs. */
function toFailedResult(error: unknown): DoctorResult {
  if (!(error instanceof DispatchError)) throw error
  return fail('files', error.message, error.remedy)
}
