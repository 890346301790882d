import { isUnreachable, unreachableWords } from '../model/unreachable.ts'

/**
 * What a screen of claude shows: a dialog that only a person can answer, a model that cannot be reached, a request that
 * the model refused and claude repeats, or a turn.
 */
type ScreenDiagnosis =
  | { kind: 'dialog' | 'offline' | 'working'; reason: string }
  | { kind: 'refused'; reason: string; status: number; attempt: number }

/** What keeps claude from working, or that it works; undefined for any other screen. Pure. */
export function diagnoseScreen(screen: string): ScreenDiagnosis | undefined {
  const [, reason] = dialogs.find(([pattern]) => pattern.test(screen)) ?? []
  if (reason !== undefined) return { kind: 'dialog', reason }
  // Recorded from claude 2.1.329: `✻ 401 invalid x-api-key · retrying in 2s · attempt 3/10`.
  const refusal = /^\W*(\d{3}) (.*?) · retrying in .*? · attempt (\d+)\/\d+/m.exec(screen)
  if (refusal && !refusal[2]?.startsWith(unreachableWords))
    return {
      kind: 'refused',
      reason: `${refusal[1]} ${refusal[2]}`,
      status: Number(refusal[1]),
      attempt: Number(refusal[3]),
    }
  if (isUnreachable(screen)) return { kind: 'offline', reason: 'claude cannot reach its model' }
  return /\besc to interrupt\b/i.test(screen) ? { kind: 'working', reason: 'claude waits for its model' } : undefined
}

// --- internal ---

/** What only a person can answer. The first that matches counts. */
const dialogs: [pattern: RegExp, reason: string][] = [
  [
    /not logged in|please run \/login|select login method|invalid api key|oauth token (has )?expired/i,
    'claude is not logged in',
  ],
  [
    /do you trust the (files|contents)|trust this folder|is this a project you (created|trust)/i,
    'claude asks whether to trust the folder',
  ],
  [/choose the text style|let's get started/i, 'claude shows its first-run screens'],
  [/detected a custom api key/i, 'claude asks whether to use the API key'],
]
