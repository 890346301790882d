import { detectLogin, findClaude, prepareLogin, requireLogin } from '#host/claude'
import { DispatchError, exitCodes } from '#host/error.ts'
import { type DoctorResult, fail, ok } from './result.ts'

/** Is claude logged in, and does it trust the workspace? Nothing is sent to its vendor. */
export async function checkLogin(claudeFolder: string, workspace: string): Promise<DoctorResult> {
  const login = detectLogin(claudeFolder)
  if (login.kind === 'key') return ok('login', 'a key or token from the environment (not tried)')
  try {
    await requireLogin(login, findClaude())
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    if (error.exitCode !== exitCodes.dependency) return fail('login', error.message, error.remedy) // A missing claude has its own check.
  }
  try {
    prepareLogin(login, workspace)
    return ok('login', `your own (${login.configFile}); claude trusts the workspace`)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const isUntrusted = error.exitCode === exitCodes.login
    const why = isUntrusted ? ' Until then an orchestrator stops at "Do you trust this folder?".' : ''
    return fail('login', error.message, `${error.remedy}${why}`)
  }
}
