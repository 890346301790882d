import { type ExitCode, exitCodes } from '#host/error.ts'

/**
 * Why a judge gave no answer that counts.
 *
 * - `overloaded` (429, 408, 5xx), `unreachable`, `malformed`: it is asked again for the whole time
 * - `quota spent`, `model missing` (404), `access denied` (403): the next model of `JUDGE_MODEL` is asked
 * - `cut off` (MAX_TOKENS): it is asked once more, with more room
 * - `bad key`, `rejected`, `blocked` (a safety filter), `not believed` (such as a yes to the canary): final
 */
export type JudgeFailureKind =
  | 'overloaded'
  | 'unreachable'
  | 'malformed'
  | 'quota spent'
  | 'model missing'
  | 'access denied'
  | 'cut off'
  | 'bad key'
  | 'rejected'
  | 'blocked'
  | 'not believed'

/** Why there is no answer. `exitCode` is set when a person has to fix something. */
export interface JudgeFailure {
  ok: false
  reason: string
  kind: JudgeFailureKind
  exitCode?: ExitCode
  /** How long the vendor asks to wait, in milliseconds. */
  retryAfterMs?: number
  /** The reply that cannot be used. */
  rawReply?: string
}

/** Why one attempt failed. */
export class JudgeError extends Error {
  readonly kind: JudgeFailureKind
  readonly details: Pick<JudgeFailure, 'retryAfterMs' | 'rawReply'>

  constructor(message: string, kind: JudgeFailureKind, details: JudgeError['details'] = {}) {
    super(message)
    this.kind = kind
    this.details = details
  }
}

/** May the same question be answered later, without a person? Pure. */
export function mayPass(kind: JudgeFailureKind): boolean {
  return isRetried(kind) || kind === 'quota spent'
}

/** Is the same model asked again at once? Pure. */
export function isRetried(kind: JudgeFailureKind): boolean {
  return kind === 'overloaded' || kind === 'unreachable' || kind === 'malformed'
}

/** Is another model worth a try? Pure. */
export function fallsThrough(kind: JudgeFailureKind): boolean {
  return kind === 'quota spent' || kind === 'model missing' || kind === 'access denied'
}

/** The failure as a value. Pure. */
export function toJudgeFailure({ message, kind, details }: JudgeError): JudgeFailure {
  const exitCode = failureExitCodes[kind]
  return { ok: false, reason: message, kind, ...(exitCode === undefined ? {} : { exitCode }), ...details }
}

const failureExitCodes: { [Kind in JudgeFailureKind]?: ExitCode } = {
  'bad key': exitCodes.login,
  'access denied': exitCodes.login,
  'model missing': exitCodes.dependency,
  rejected: exitCodes.dependency,
}
