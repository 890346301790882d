import { formatSetting, type Settings, settingNames } from './settings.ts'

/**
 * When a changed setting counts. `at once`: in all that runs, within a second of its next look. `next session`: a session keeps what
 * it was opened with. `restart`: the process that uses it has to start again.
 */
export type Effect = 'at once' | 'next session' | 'restart'

/** For each setting, when a change of it counts. docs/configuration.md has the same lists, and a test compares them. */
export const settingEffects: Record<keyof Settings, Effect> = {
  GEMINI_API_KEY: 'at once',
  GOOGLE_GEMINI_BASE_URL: 'at once',
  JUDGE_MODEL: 'at once',
  JUDGE_TIMEOUT_SEC: 'at once',
  ORCHESTRATOR_MODEL: 'next session',
  CODE_MODEL: 'next session',
  RW_MODEL: 'next session',
  ROUNDS: 'next session',
  START_TIMEOUT_SEC: 'at once',
  WORKER_TIMEOUT_SEC: 'at once',
  SESSION_TIMEOUT_SEC: 'at once',
  CHECK_TIMEOUT_SEC: 'at once',
  CHECK_REPEAT_SEC: 'at once',
  KEEP_OPEN_SEC: 'at once',
  SLEEP_AFTER_SEC: 'at once',
  WATCHDOG_TIMEOUT_SEC: 'at once',
  SANDBOX: 'next session',
  BUDGET_USD: 'at once',
  MAX_SESSIONS: 'at once',
  MAX_SESSIONS_PROJECT: 'at once',
  STAGGER_SEC: 'at once',
  MAX_STARTS_DAY: 'at once',
  MAX_USD_DAY: 'at once',
  CAPABILITIES: 'at once',
  TIDY: 'at once',
  KEEP_SESSIONS_DAYS: 'at once',
  WEBUI_PORT: 'restart',
  WEBUI_HOSTS: 'restart',
  DESKTOP: 'at once',
  NTFY_SERVER: 'at once',
  NTFY_TOPIC: 'at once',
  NTFY_TOKEN: 'at once',
  WEBHOOK_URL: 'at once',
  NOTICE_DETAIL: 'at once',
  SUBAGENT_NOTICES: 'at once',
  QUIET_HOURS: 'at once',
  GITHUB_TOKEN: 'at once',
  GITHUB_API_URL: 'at once',
  GITHUB_APP_ID: 'at once',
  GITHUB_APP_KEY_FILE: 'at once',
  GITHUB_APP_INSTALLATION: 'at once',
  PULL_REQUEST_LABELS: 'at once',
  PULL_REQUEST_REVIEWERS: 'at once',
}

/** A sentence for each setting that has changed and counts only after a restart. Pure. */
export function describeRestarts(before: Settings, now: Settings): string[] {
  const changed = settingNames.filter(name => settingEffects[name] === 'restart' && before[name] !== now[name])
  return changed.map(
    name => `${formatSetting(name, String(now[name]))} is new; it counts when the page starts again: ${RESTART}`,
  )
}

// --- internal ---

const RESTART = '`dispatch service restart`, or without a service `dispatch daemon --restart`'
