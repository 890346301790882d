/** The exit codes of every command. One number, one meaning, everywhere. */
export const exits = {
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
} as const

export type Exit = (typeof exits)[keyof typeof exits]

/** A failure meant for a person: what failed and where, what to do next, and the exit code. Anything else is a bug. */
export class DispatchError extends Error {
  readonly exit: Exit
  readonly remedy: string

  constructor(message: string, { exit, remedy = '' }: { exit: Exit; remedy?: string }) {
    super(message)
    this.name = 'DispatchError'
    this.exit = exit
    this.remedy = remedy
  }
}

/** The end of every total switch: TypeScript refuses to compile while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`impossible value: ${JSON.stringify(value)}`)
}

/** True when `error` is a system error with this code, such as `ENOENT`. */
export function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
