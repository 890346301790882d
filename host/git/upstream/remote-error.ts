import { DispatchError, exitCodes } from '../../error.ts'
import { sanitize } from '../../text.ts'
import { isDiskProblem } from '../git.ts'
import type { Transport } from './transport.ts'

/** Addresses without names and passwords. One that is no valid URL loses everything up to its last `@`. Pure. */
export function hideUser(text: string): string {
  return text.replace(/[\w+.-]+:\/\/[^\s'"]+/g, address => {
    const url = URL.parse(address)
    if (url === null) return address.replace(/^([\w+.-]+:\/\/).*@/, '$1')
    if (url.username === '' && url.password === '') return address
    url.username = ''
    url.password = ''
    return url.href.includes('@') ? address.replace(/^([\w+.-]+:\/\/).*@/, '$1') : url.href
  })
}

/** The error for a remote or a branch that is not clear: exit 2. */
export function createChoiceError(message: string, remedy: string): DispatchError {
  return new DispatchError(message, { exitCode: exitCodes.usage, remedy })
}

/** A remote that cannot be used: exit 6. Reading may work where writing does not. */
export class RemoteError extends DispatchError {
  readonly direction: 'fetch' | 'push'

  constructor(message: string, { direction, remedy }: { direction: RemoteError['direction']; remedy: string }) {
    super(message, { exitCode: exitCodes.dependency, remedy })
    this.direction = direction
  }
}

/**
 * The error for a remote that cannot be used, with the command that tries it; where the disk is the reason, exit 10. `consequence`: what
 * has or has not happened. With `pushedRef` it could not be pushed to.
 */
export function createRemoteError(
  { remote, repository }: Transport,
  { stderr, timedOut }: { stderr: string; timedOut: boolean },
  consequence: string,
  pushedRef?: string,
): DispatchError {
  if (isDiskProblem(stderr) && !/^remote:/m.test(stderr))
    return new DispatchError(`git cannot write: ${sanitize(stderr.trim())}`, {
      exitCode: exitCodes.storage,
      remedy: `${consequence} Make room, then run the same command again.`,
    })
  const reason = timedOut
    ? 'it took longer than ten minutes'
    : hideUser(sanitize(stderr.trim())) || 'git gives no reason'
  const [direction, what, attempt] =
    pushedRef === undefined
      ? (['fetch', 'used', `fetch ${remote}`] as const)
      : (['push', 'pushed to', `push --dry-run ${remote} HEAD:${pushedRef}`] as const)
  return new RemoteError(`remote ${remote} of ${repository} cannot be ${what}: ${reason}`, {
    direction,
    remedy: `${consequence} To try it: git -C ${repository} ${attempt}`,
  })
}
