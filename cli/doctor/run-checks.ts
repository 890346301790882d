import { checkActions } from './actions.ts'
import { checkChannels } from './channels.ts'
import { checkGitHub } from './github.ts'
import { checkHooks } from './hooks.ts'
import { checkBuild, checkConfiguration, checkHome } from './install.ts'
import { checkJudge } from './judge.ts'
import { checkPage } from './page.ts'
import { checkLogin, checkPrograms } from './programs.ts'
import { checkRepository } from './repository.ts'
import { type DoctorResult, failWith } from './result.ts'
import { checkRunningCode } from './running-code.ts'
import { checkSandbox } from './sandbox.ts'
import { checkService } from './service.ts'
import { checkSessions } from './sessions.ts'
import { checkTempFolder } from './temp-folder.ts'
import { checkToolchains } from './toolchains.ts'

/** Every check of `dispatch doctor`. Those that depend on the settings are left out while the settings are invalid. */
export async function runChecks({ online, notify }: { online: boolean; notify: boolean }): Promise<DoctorResult[]> {
  const { config, results, isValid } = checkConfiguration()
  const checks: (() => Promise<DoctorResult | DoctorResult[]>)[] = [
    () => checkPrograms(config.home),
    () => checkLogin(config),
    () => checkHooks(config),
    ...(isValid
      ? [
          () => checkJudge(config, online),
          () => checkChannels(config, notify),
          () => checkPage(config),
          () => checkGitHub(config, online),
          () => checkActions(config, online),
        ]
      : []),
    () => checkHome(config).catch(failWith('home')),
    () => checkSandbox(config),
    () => checkTempFolder(),
    () => checkToolchains(config),
    () => checkSessions(config),
    () => checkRunningCode(config),
    () => checkService(config),
    () => checkRepository([config.cloneFolder, config.home]),
  ]
  const more = await Promise.all(checks.map(check => check().catch(failWith('files'))))
  return [...results, checkBuild(), ...more.flat()]
}
