import { z } from 'zod'
import { isWeakTopic } from './ntfy-topic.ts'

const numberSchema = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .refine(value => value >= min && value <= max)
const textSchema = (pattern: RegExp) => z.string().regex(pattern)
const modelSchema = textSchema(/^[A-Za-z0-9][\w.:@/[\]-]{0,199}$/)
const keySchema = textSchema(/^[\x21-\x7e]*$/)
/**
 * Marks a setting whose value is never shown, and never given to an agent. A known ntfy topic can be read by everyone.
 */
const secretMark = { secret: true } as const
const dollarsSchema = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,4})?$/)
  .transform(Number)
const quietHoursPattern = /^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$/
const urlSchema = z.string().refine(value => /^https?:\/\/[^\s/?#]/.test(value) && URL.canParse(value))

/**
 * Every setting: its name, its default and its limits. `.env.example` has the same in prose, and a test compares them.
 */
export const settingsSchema = z.object({
  GEMINI_API_KEY: keySchema.default('').meta(secretMark),
  GOOGLE_GEMINI_BASE_URL: urlSchema.or(z.literal('')).default(''),
  JUDGE_MODEL: modelSchema.default('gemini-2.5-pro'),
  JUDGE_TIMEOUT_SEC: numberSchema(1, 3600).default(180),
  ORCHESTRATOR_MODEL: modelSchema.default('opus'),
  CODE_MODEL: modelSchema.default('opus'),
  RW_MODEL: modelSchema.default('sonnet'),
  ROUNDS: numberSchema(1, 20).default(3),
  START_TIMEOUT_SEC: numberSchema(1, 3600).default(60),
  WORKER_TIMEOUT_SEC: numberSchema(1, 86_400).default(3600),
  CHECK_TIMEOUT_SEC: numberSchema(1, 3600).default(120),
  CHECK_REPEAT_SEC: numberSchema(0, 3600).default(60),
  KEEP_OPEN_SEC: numberSchema(0, 604_800).default(3600),
  WATCHDOG_TIMEOUT_SEC: numberSchema(5, 86_400).default(900),
  SANDBOX: z.enum(['auto', 'required', 'off']).default('auto'),
  BUDGET_USD: dollarsSchema.default(0),
  WEBUI_PORT: numberSchema(0, 65_535).default(7777),
  DESKTOP: z.enum(['on', 'off']).default('on'),
  NTFY_SERVER: urlSchema.default('https://ntfy.sh'),
  NTFY_TOPIC: textSchema(/^[-_A-Za-z0-9]{0,64}$/)
    .refine(topic => topic === '' || !isWeakTopic(topic))
    .default('')
    .meta(secretMark),
  NTFY_TOKEN: keySchema.default('').meta(secretMark),
  WEBHOOK_URL: urlSchema.or(z.literal('')).default('').meta(secretMark),
  NOTICE_DETAIL: z.enum(['state', 'title', 'full']).default('state'),
  SUBAGENT_NOTICES: z.enum(['on', 'off']).default('off'),
  QUIET_HOURS: textSchema(quietHoursPattern).default(''),
})

export type Settings = z.infer<typeof settingsSchema>
type SettingName = keyof Settings

/** The allowed values of each setting, in words; they follow "it must be". */
export const settingDescriptions: Record<SettingName, string> = {
  GEMINI_API_KEY: 'a key: printable ASCII without blanks',
  GOOGLE_GEMINI_BASE_URL: 'an address such as https://example.com, or empty',
  JUDGE_MODEL: 'the name of a model',
  JUDGE_TIMEOUT_SEC: 'a whole number from 1 to 3600',
  ORCHESTRATOR_MODEL: 'the name of a model',
  CODE_MODEL: 'the name of a model',
  RW_MODEL: 'the name of a model',
  ROUNDS: 'a whole number from 1 to 20',
  START_TIMEOUT_SEC: 'a whole number from 1 to 3600',
  WORKER_TIMEOUT_SEC: 'a whole number from 1 to 86400',
  CHECK_TIMEOUT_SEC: 'a whole number from 1 to 3600',
  CHECK_REPEAT_SEC: 'a whole number from 0 to 3600',
  KEEP_OPEN_SEC: 'a whole number from 0 to 604800',
  WATCHDOG_TIMEOUT_SEC: 'a whole number from 5 to 86400',
  SANDBOX: 'auto, required or off',
  BUDGET_USD: 'an amount such as 20 or 7.50 (0: no limit)',
  WEBUI_PORT: 'a whole number from 0 to 65535 (0: no page)',
  DESKTOP: 'on or off',
  NTFY_SERVER: 'an address such as https://ntfy.sh',
  NTFY_TOPIC:
    'hard to guess: 20 to 64 letters, digits, - and _, at least 10 different ones and a digit (`dispatch notify setup` makes one)',
  NTFY_TOKEN: 'a token: printable ASCII without blanks',
  WEBHOOK_URL: 'an address such as https://example.com/hook, or empty',
  NOTICE_DETAIL: 'state, title or full',
  SUBAGENT_NOTICES: 'on or off',
  QUIET_HOURS: 'two times of day such as 22:30-07:00, or empty',
}

/** The names of the settings whose values are secrets. */
export const secretSettings: SettingName[] = Object.keys(settingsSchema.shape)
  .filter(isSettingName)
  .filter(name => settingsSchema.shape[name].meta()?.['secret'] === true)

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
  const ranked = Object.keys(settingsSchema.shape)
    .map(candidate => ({ candidate, distance: computeEditDistance(typed, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best && best.distance <= Math.max(2, Math.floor(best.candidate.length / 3))
    ? (best.candidate as SettingName)
    : undefined
}

// --- internal ---

const MAX_SHOWN_CHARS = 60

/**
 * How many letters must be inserted, deleted or replaced to turn one word into the other (Levenshtein). Long words are
 * not compared.
 */
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
