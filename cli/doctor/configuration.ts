import { type Config, readConfig, readDefaultConfig } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { type DoctorResult, fail, ok } from './result.ts'

/**
 * The settings, or one result for each problem with them. `isValid` is false then, and `config` has the defaults: what
 * does not depend on the settings can still be checked.
 */
export function checkConfiguration(): { config: Config; results: DoctorResult[]; isValid: boolean } {
  try {
    return { config: readConfig(), results: [ok('settings', 'valid')], isValid: true }
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const [, ...problems] = error.message.split('\n  ')
    if (problems.length === 0) throw error // DISPATCH_HOME itself is invalid.
    const results = problems.map(problem => fail('settings', problem, error.remedy))
    return { config: readDefaultConfig(), results, isValid: false }
  }
}
