/** The exit codes of every command. One number, one meaning, everywhere. */
export const exitCodes = {
  ok: 0,
  internal: 1,
  usage: 2,
  fail: 3,
  notFound: 4,
  conflict: 5,
  dependency: 6,
  login: 7,
  upstream: 8,
  budget: 9,
  storage: 10,
  sandbox: 11,
  inconclusive: 12,
  integrity: 13,
  deadline: 124,
  /** Ctrl-c, as a shell counts it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What a shell makes of a signal that ended a program. */
export const signalExitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** A failure meant for a person: what failed and where, what to do next, and the exit code. Anything else is a bug. */
export class DispatchError extends Error {
  readonly exitCode: ExitCode
  readonly remedy: string

  constructor(message: string, { exitCode, remedy = '' }: { exitCode: ExitCode; remedy?: string }) {
    super(message)
    this.name = 'DispatchError'
    this.exitCode = exitCode
    this.remedy = remedy
  }
}

/** Ctrl-c at a question: nothing to say, and nothing was done. */
export function createInterruptError(): DispatchError {
  return new DispatchError('', { exitCode: exitCodes.interrupted })
}

/** The end of every total switch: TypeScript refuses to compile while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`impossible value: ${JSON.stringify(value)}`)
}

/** True when `error` is a system error with this code, such as `ENOENT`. */
export function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
