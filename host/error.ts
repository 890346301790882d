/** The exit codes of every command. Each number has one meaning everywhere; docs/troubleshooting.md explains each. */
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
  storage: 10,
  sandbox: 11,
  inconclusive: 12,
  integrity: 13,
  deadline: 124,
  /** Ctrl-C, as a shell counts it. */
  interrupted: 130,
  /** The reader of the output has gone before the verdict, as a shell counts SIGPIPE. */
  closedPipe: 141,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The exit code that a shell reports for a program that a signal ended. */
export const signalExitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** An error for a person: what failed and where, what to do next, and the exit code. Any other error is a bug. */
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

/** Ctrl-C at a question: exit 130 without a message. */
export function createInterruptError(): DispatchError {
  return new DispatchError('', { exitCode: exitCodes.interrupted })
}

/** The end of every total switch: TypeScript does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`impossible value: ${JSON.stringify(value)}`)
}

/** Is `error` a system error with one of these codes, such as `ENOENT`? */
export function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
