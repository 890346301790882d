import { z } from 'zod'
import { isWeakTopic } from './ntfy-topic.ts'

const numberSchema = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .refine(value => value >= least && value <= most)
const textSchema = (pattern: RegExp) => z.string().regex(pattern)
const modelSchema = textSchema(/^[A-Za-z0-9][\w.:@/[\]-]{0,199}$/)
const key = textSchema(/^[\x21-\x7e]*$/)
/** Marks a setting whose value is never shown and never handed to an agent. Who knows an ntfy topic can read along. */
const secretSchema = { secret: true } as const
const dollarsSchema = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,4})?$/)
  .transform(Number)
const quietHoursPattern = /^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$/
const urlSchema = z.string().refine(value => /^https?:\/\/[^\s/?#]/.test(value) && URL.canParse(value))

/** Every setting: its name, its default and its limits. `.env.example` says the same in prose, and a test compares them. */
export const settingsSchema = z.object({
  GEMINI_API_KEY: key.default('').meta(secretSchema),
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
    .meta(secretSchema),
  NTFY_TOKEN: key.default('').meta(secretSchema),
  WEBHOOK_URL: urlSchema.or(z.literal('')).default('').meta(secretSchema),
  NOTICE_DETAIL: z.enum(['state', 'title', 'full']).default('state'),
  SUBAGENT_NOTICES: z.enum(['on', 'off']).default('off'),
  QUIET_HOURS: textSchema(quietHoursPattern).default(''),
})

export type Settings = z.infer<typeof settingsSchema>
type Name = keyof Settings

/** What a setting may be, in words. */
export const settingDescriptions: Record<Name, string> = {
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
export const secretSettings: Name[] = Object.keys(settingsSchema.shape)
  .filter(isSettingName)
  .filter(name => settingsSchema.shape[name].meta()?.['secret'] === true)

export function isSettingName(name: string): name is Name {
  return Object.hasOwn(settingsSchema.shape, name)
}

/** `ROUNDS=99`, or the name alone where the value is a secret or may hold one (an address with a password in it). */
export function formatSetting(name: Name, value: string): string {
  if (secretSettings.includes(name) || value.includes('@')) return name
  const whole = JSON.stringify(value)
  const plain = whole.slice(1, -1) === value && !value.includes(' ') ? value : whole
  return `${name}=${plain.length > 60 ? `${plain.slice(0, 60)}…` : plain}`
}

/** The setting whose name is nearest to this one, if any is near: at most a third of its letters differ. Pure. */
export function suggestSetting(name: string): Name | undefined {
  const written = name.toUpperCase().replaceAll(/[-.]/g, '_')
  const ranked = Object.keys(settingsSchema.shape)
    .map(known => ({ known, apart: editDistance(written, known) }))
    .sort((a, b) => a.apart - b.apart)
  const [best] = ranked
  return best && best.apart <= Math.max(2, Math.floor(best.known.length / 3)) ? (best.known as Name) : undefined
}

/** How many letters must be put in, taken out or changed to make one word of the other (Levenshtein). */
function editDistance(one: string, other: string): number {
  if (one.length > 80) return one.length
  let row = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1]
    for (const [column, wanted] of [...other].entries()) {
      const changed = (row[column] ?? 0) + (letter === wanted ? 0 : 1)
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
