import type { Config } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { pingJudge } from '#validator'
import { type DoctorResult, ok, warn } from './result.ts'

const PING_TIMEOUT_SECONDS = 20

/** Does the judge have a key? With `online` the judge is really asked, which costs a few tokens. */
export async function checkJudge(config: Config, online: boolean): Promise<DoctorResult> {
  const model = config.JUDGE_MODEL
  if (config.GEMINI_API_KEY === '')
    return warn(
      'judge',
      'GEMINI_API_KEY is not set: checks run, but no verdict can be PASS',
      `Get a key at https://aistudio.google.com/apikey and put GEMINI_API_KEY=… into ${config.home}/.env`,
    )
  if (!online) return ok('judge', `${model}; the key is set but was not tried (\`dispatch doctor --online\` tries it)`)
  const answer = await pingJudge({
    ...config,
    JUDGE_TIMEOUT_SEC: Math.min(config.JUDGE_TIMEOUT_SEC, PING_TIMEOUT_SECONDS),
  })
  if (answer.ok) {
    const message = `${answer.model} answered in ${(answer.milliseconds / 1000).toFixed(1)} s`
    if (answer.remark === undefined) return ok('judge', message)
    return warn(
      'judge',
      `${message}; ${answer.remark}`,
      `Set JUDGE_MODEL in ${config.home}/.env to the model that you want`,
    )
  }
  return warn('judge', answer.reason, pickFix(answer.exitCode, config))
}

// --- internal ---

function pickFix(exitCode: number | undefined, { home, GOOGLE_GEMINI_BASE_URL: address }: Config): string {
  if (exitCode === exitCodes.login)
    return `Get another key at https://aistudio.google.com/apikey and put GEMINI_API_KEY=… into ${home}/.env`
  if (exitCode === exitCodes.dependency) return `Set JUDGE_MODEL in ${home}/.env to a model that this key may use`
  const url = address || 'https://generativelanguage.googleapis.com'
  return `Try again later. If it still fails, \`curl -sI ${url}\` shows whether this machine can reach it (dispatch uses the proxy in HTTPS_PROXY)`
}
