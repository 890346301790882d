import { z } from 'zod'
import { isWeakTopic } from './ntfy-topic.ts'

const wholeNumber = (min: number, max: number, note = '') =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .refine(value => value >= min && value <= max)
    .describe(`a whole number from ${min} to ${max}${note}`)
const usdAmount = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,4})?$/)
  .transform(Number)
  .describe('an amount such as 20 or 7.50 (0: no limit)')
const choice = <const Values extends [string, string, ...string[]]>(...values: Values) =>
  z.enum(values).describe(`${values.slice(0, -1).join(', ')} or ${values.at(-1)}`)
const text = (pattern: RegExp, description: string) => z.string().regex(pattern).describe(description)
const modelName = '[A-Za-z0-9][\\w.:@/[\\]-]{0,199}'
const model = text(new RegExp(`^${modelName}$`), 'the name of a model')
const models = text(
  new RegExp(`^${modelName}( *, *${modelName}){0,7}$`),
  'the name of a model, or up to eight with commas',
)
const hostName = '[a-z0-9][a-z0-9.-]{0,252}'
const url = z.string().refine(value => /^https?:\/\/[^\s/?#]/.test(value) && URL.canParse(value))
const optionalUrl = (example: string) => url.or(z.literal('')).describe(`an address such as ${example}, or empty`)
const printable = /^[\x21-\x7e]*$/
const timeOfDay = String.raw`([01]\d|2[0-3]):[0-5]\d`
/** Marks a setting whose value is never shown, and never given to an agent. Everyone can read a known ntfy topic. */
const secretMark = { secret: true } as const

/** Every setting, its default, and its limits in code and in words. A test compares `.env.example` with it. */
export const settingsSchema = z.object({
  GEMINI_API_KEY: text(printable, 'a key: printable ASCII without blanks').default('').meta(secretMark),
  GOOGLE_GEMINI_BASE_URL: optionalUrl('https://example.com').default(''),
  JUDGE_MODEL: models.default('gemini-3.8-flash'),
  JUDGE_TIMEOUT_SEC: wholeNumber(1, 3600).default(180),
  ORCHESTRATOR_MODEL: model.default('opus'),
  CODE_MODEL: models.default('opus'),
  RW_MODEL: model.default('sonnet'),
  ROUNDS: wholeNumber(1, 20).default(3),
  START_TIMEOUT_SEC: wholeNumber(1, 3600).default(60),
  WORKER_TIMEOUT_SEC: wholeNumber(1, 86_400).default(3600),
  SESSION_TIMEOUT_SEC: wholeNumber(0, 604_800, ' (0: no limit)').default(43_200),
  CHECK_TIMEOUT_SEC: wholeNumber(1, 3600).default(120),
  CHECK_REPEAT_SEC: wholeNumber(0, 3600).default(60),
  KEEP_OPEN_SEC: wholeNumber(0, 604_800).default(3600),
  SLEEP_AFTER_SEC: wholeNumber(0, 604_800, ' (0: never)').default(3600),
  WATCHDOG_TIMEOUT_SEC: wholeNumber(5, 86_400).default(900),
  SANDBOX: choice('auto', 'required', 'off').default('auto'),
  BUDGET_USD: usdAmount.default(0),
  MAX_SESSIONS: wholeNumber(0, 1000, ' (0: as many as there is memory for)').default(0),
  MAX_SESSIONS_PROJECT: wholeNumber(1, 1000).default(3),
  STAGGER_SEC: wholeNumber(0, 3600).default(10),
  MAX_STARTS_DAY: wholeNumber(1, 10_000).default(100),
  MAX_USD_DAY: usdAmount.default(0),
  CAPABILITIES: text(
    /^([a-z][a-z0-9-]{0,30}([ ,]+[a-z][a-z0-9-]{0,30}){0,19})?$/,
    'up to twenty words such as gpu, or empty',
  ).default(''),
  TIDY: choice('caches', 'sessions', 'off').default('caches'),
  KEEP_SESSIONS_DAYS: wholeNumber(1, 3650).default(30),
  WEBUI_PORT: wholeNumber(0, 65_535, ' (0: no page)').default(7777),
  WEBUI_HOSTS: text(
    new RegExp(`^(${hostName}( *, *${hostName}){0,19})?$`),
    'up to twenty host names with commas, such as desk.example.com, or empty',
  ).default(''),
  DESKTOP: choice('on', 'off').default('on'),
  NTFY_SERVER: url.describe('an address such as https://ntfy.sh').default('https://ntfy.sh'),
  NTFY_TOPIC: text(
    /^[-_A-Za-z0-9]{0,64}$/,
    'hard to guess: 20 to 64 letters, digits, - and _, at least 10 different ones and a digit (`dispatch notify setup` makes one)',
  )
    .refine(topic => topic === '' || !isWeakTopic(topic))
    .default('')
    .meta(secretMark),
  NTFY_TOKEN: text(printable, 'a token: printable ASCII without blanks').default('').meta(secretMark),
  WEBHOOK_URL: optionalUrl('https://example.com/hook').default('').meta(secretMark),
  NOTICE_DETAIL: choice('state', 'title', 'full').default('state'),
  SUBAGENT_NOTICES: choice('on', 'off').default('off'),
  QUIET_HOURS: text(
    new RegExp(`^(${timeOfDay}-${timeOfDay})?$`),
    'two times of day such as 22:30-07:00, or empty',
  ).default(''),
  GITHUB_TOKEN: text(printable, 'a token: printable ASCII without blanks').default('').meta(secretMark),
  GITHUB_API_URL: optionalUrl('https://github.example.com/api/v3').default(''),
  GITHUB_APP_ID: text(/^[A-Za-z0-9.]{0,40}$/, 'the id or the client id of a GitHub App, or empty').default(''),
  GITHUB_APP_KEY_FILE: text(/^(\/.*)?$/, 'an absolute path, or empty')
    .default('')
    .meta(secretMark),
  GITHUB_APP_INSTALLATION: text(/^\d{0,15}$/, 'a number, or empty').default(''),
  PULL_REQUEST_LABELS: text(/^[^\n\r]{0,500}$/, 'labels with commas, or empty').default(''),
  PULL_REQUEST_REVIEWERS: text(
    /^([\w-]+(\/[\w.-]+)?( *, *[\w-]+(\/[\w.-]+)?){0,14})?$/,
    'up to fifteen names or org/team with commas, or empty',
  ).default(''),
})

export type Settings = z.infer<typeof settingsSchema>
type SettingName = keyof Settings

/** The name of every setting. */
export const settingNames = Object.keys(settingsSchema.shape).filter(isSettingName)

/** The allowed values of a setting, in words; they follow "it must be". */
export function describeSetting(name: SettingName): string {
  return settingsSchema.shape[name].unwrap().description ?? ''
}

/** The names of the settings whose values are secrets. */
export const secretSettings = settingNames.filter(name => settingsSchema.shape[name].meta()?.['secret'] === true)

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settingsSchema.shape, name)
}

/** `ROUNDS=99`, or the name alone when the value is a secret or may contain one (an address with a password). */
export function formatSetting(name: SettingName, value: string): string {
  if (secretSettings.includes(name) || value.includes('@')) return name
  const quoted = JSON.stringify(value)
  const shown = quoted.slice(1, -1) === value && !value.includes(' ') ? value : quoted
  return `${name}=${shown.length > MAX_SHOWN_CHARS ? `${shown.slice(0, MAX_SHOWN_CHARS)}…` : shown}`
}

/** The setting with the most similar name; undefined when more than a third of its letters differ. Pure. */
export function suggestSetting(name: string): SettingName | undefined {
  const typed = name.toUpperCase().replaceAll(/[-.]/g, '_')
  const [best] = settingNames
    .map(candidate => ({ candidate, distance: computeEditDistance(typed, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  return best && best.distance <= Math.max(2, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}

// --- internal ---

const MAX_SHOWN_CHARS = 60

/** How many letters must be inserted, deleted or replaced (Levenshtein). Long words are not compared. */
function computeEditDistance(from: string, to: string): number {
  if (from.length > 80) return from.length
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1]
    for (const [column, target] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (letter === target ? 0 : 1)
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
