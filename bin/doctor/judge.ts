import { type Config, exits } from '../../host/index.ts'
import { askOneWord } from '../../validator/index.ts'
import { good, type Symptom, weak } from './symptom.ts'

/** Has the judge a key? With `online` it is really asked, which costs a few tokens. */
export async function judge(config: Config, online: boolean): Promise<Symptom> {
  const model = config.JUDGE_MODEL
  if (config.GEMINI_API_KEY === '')
    return weak(
      'judge',
      'GEMINI_API_KEY is not set: every check is run, and no verdict can be PASS',
      `Get a key at https://aistudio.google.com/apikey, then put GEMINI_API_KEY=… into ${config.home}/.env`,
    )
  if (!online)
    return good('judge', `${model}; its key is set and was not tried (\`dispatch doctor --online\` tries it)`)
  const answer = await askOneWord({ ...config, JUDGE_TIMEOUT_SEC: Math.min(config.JUDGE_TIMEOUT_SEC, 20) })
  if (answer.ok) return good('judge', `${answer.model} answered in ${(answer.milliseconds / 1000).toFixed(1)} s`)
  return weak('judge', answer.why, fixFor(answer.exit, config))
}

function fixFor(exit: number | undefined, { home, GOOGLE_GEMINI_BASE_URL: address }: Config): string {
  if (exit === exits.login)
    return `Get another key at https://aistudio.google.com/apikey, and put GEMINI_API_KEY=… into ${home}/.env`
  if (exit === exits.dependency) return `Set JUDGE_MODEL in ${home}/.env to a model that this key may use`
  const where = address || 'https://generativelanguage.googleapis.com'
  return `Try again later. If it stays: \`curl -sI ${where}\` tells whether this machine gets there (a proxy is read from HTTPS_PROXY)`
}
