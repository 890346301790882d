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

/** The error for a remote that cannot be used: exit 6, or 10 where the disk is the reason. `consequence`: what has or has not happened. */
export function createRemoteError(
  { remote, repository }: Transport,
  { stderr, timedOut }: { stderr: string; timedOut: boolean },
  consequence: string,
): DispatchError {
  if (isDiskProblem(stderr) && !/^remote:/m.test(stderr))
    return new DispatchError(`git cannot write: ${sanitize(stderr.trim())}`, {
      exitCode: exitCodes.storage,
      remedy: `${consequence} Make room, then run the same command again.`,
    })
  const reason = timedOut
    ? 'it took longer than ten minutes'
    : hideUser(sanitize(stderr.trim())) || 'git gives no reason'
  return new DispatchError(`remote ${remote} of ${repository} cannot be used: ${reason}`, {
    exitCode: exitCodes.dependency,
    remedy: `${consequence} To try it: git -C ${repository} fetch ${remote}`,
  })
}
