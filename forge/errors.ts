import { DispatchError, type ExitCode, exitCodes } from '#host/error.ts'
import { sanitize, splitList, toOneLine } from '#host/text.ts'
import { parseRetryAfterMs, SECOND_MS } from '#host/time.ts'

/** What is known of a request that failed, as octokit reports it. */
interface FailedRequest {
  status: number
  message: string
  /** Missing where no answer came. */
  response: { headers: Record<string, string | number | undefined>; data: unknown } | undefined
  cause: unknown
}

/** What a message is about. */
export interface RequestContext {
  /** What was to be done: `open a pull request in owner/name`. */
  action: string
  host: string
  /** Where the token comes from. */
  source: string
  now?: number
}

/** An answer of GitHub's that is not a success: what a person reads, the exit code, and the status of HTTP. */
export class ForgeError extends DispatchError {
  /** Undefined where no answer came. */
  readonly status: number | undefined

  constructor(message: string, options: { exitCode: ExitCode; remedy: string; status?: number }) {
    super(message, options)
    this.name = 'ForgeError'
    this.status = options.status
  }
}

/**
 * The error for a person: 6 where GitHub cannot be reached, 7 for a login or a right that is missing, which is named, 8 for a limit or a
 * failure of GitHub's, 4 for what is not there or not shown to this token, 5 for what GitHub refuses. Any other error stays. Pure.
 */
export function toForgeError(error: unknown, context: RequestContext): unknown {
  const failed = readFailure(error)
  if (failed === undefined) return error
  const { status, response } = failed
  if (response === undefined) return createUnreachableError(failed, context)
  const limit = findLimit(failed, context.now ?? Date.now())
  if (limit !== undefined) return limit
  if (status === 401) return createRefusedLogin(context)
  if (status === 403) return createForbidden(failed, context)
  if (status === 404) return createNotFound(failed, context)
  const isFault = status >= 500
  return new ForgeError(`${context.host} did not ${context.action}: ${describe(failed)}`, {
    status,
    exitCode: isFault ? exitCodes.upstream : exitCodes.conflict,
    remedy: isFault ? 'Nothing is lost. Run the same command again later.' : '',
  })
}

/** The status that GitHub answered with; undefined for another error, and where no answer came. Pure. */
export function getStatus(error: unknown): number | undefined {
  const failed = readFailure(error)
  return failed?.response === undefined ? undefined : failed.status
}

/** Has GitHub said that the login may not do or see this? A spent limit has the same status, and is something else. Pure. */
export function isDenied(error: unknown): error is ForgeError {
  if (!(error instanceof ForgeError)) return false
  return error.status === 404 || (error.status === 403 && error.exitCode === exitCodes.login)
}

/**
 * Which rights the answer says are missing: scopes of a classic token, or permissions of a fine-grained one or of an App. GitHub says with
 * every answer which permissions a request needs, so they are missing only where it says that too. Pure.
 */
export function findMissingRights(headers: Record<string, string | number | undefined>, said = LACK): string[] {
  const permissions = String(headers['x-accepted-github-permissions'] ?? '')
  if (permissions !== '') {
    if (!/Resource not accessible by/i.test(said)) return []
    const [first = ''] = permissions.split(';')
    return first.split(',').map(each => each.trim().replace('=', ': '))
  }
  if (headers['x-oauth-scopes'] === undefined) return []
  const has = splitList(String(headers['x-oauth-scopes']))
  const accepted = splitList(String(headers['x-accepted-oauth-scopes'] ?? ''))
  return accepted.length === 0 || accepted.some(scope => has.includes(scope)) ? [] : [accepted.join(' or ')]
}

// --- internal ---

const MAX_REASON_CHARS = 500

/** What the login of an App is called. */
const APP_SOURCE = 'the GitHub App'

/** What GitHub says where a permission is missing; of what it hides, it says nothing. */
const LACK = 'Resource not accessible by this login'

function readFailure(error: unknown): FailedRequest | undefined {
  if (!(error instanceof Error)) return undefined
  const { status, response, name, cause } = error as Error & { status?: unknown; response?: unknown }
  if (name === 'HttpError' && typeof status === 'number')
    return { status, message: error.message, response: response as FailedRequest['response'], cause }
  if (name !== 'GraphqlResponseError') return undefined
  const { headers, errors = [] } = error as Error & {
    headers?: Record<string, string>
    errors?: { type?: string; code?: string; message: string }[]
  }
  const isLimit = errors.some(({ type = '', code }) => /^RATE_LIMIT(ED)?$/.test(type) || code === 'graphql_rate_limit')
  const type = isLimit ? 'RATE_LIMITED' : (errors[0]?.type ?? '')
  const known: Record<string, number> = { NOT_FOUND: 404, FORBIDDEN: 403, INSUFFICIENT_SCOPES: 403, RATE_LIMITED: 429 }
  const message = errors.map(each => each.message).join('; ') || error.message
  return { status: known[type] ?? 422, message, response: { headers: headers ?? {}, data: {} }, cause: undefined }
}

/** What GitHub says, on one line and without the address of its documentation. */
function describe({ message, response, status }: FailedRequest): string {
  const { message: own, errors } = (response?.data ?? {}) as { message?: unknown; errors?: unknown }
  const details = Array.isArray(errors)
    ? errors.map(each => (typeof each === 'string' ? each : ((each as { message?: string }).message ?? '')))
    : []
  const text = [typeof own === 'string' ? own : message, ...details].filter(Boolean).join('; ')
  return toOneLine(sanitize(text), MAX_REASON_CHARS) || `status ${status}`
}

function createUnreachableError({ message, cause }: FailedRequest, { host, action }: RequestContext): ForgeError {
  const reason = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message
  return new ForgeError(`${host} cannot be reached to ${action}: ${toOneLine(reason, MAX_REASON_CHARS)}`, {
    exitCode: exitCodes.dependency,
    remedy: 'Nothing is lost. Run the same command again when you are online (dispatch uses the proxy in HTTPS_PROXY).',
  })
}

function findLimit(failed: FailedRequest, now: number): ForgeError | undefined {
  const { status, response, message } = failed
  const headers = response?.headers ?? {}
  const isSpent = String(headers['x-ratelimit-remaining']) === '0'
  const isSecondary = /secondary rate|abuse detection/i.test(message)
  if (status !== 429 && !(status === 403 && (isSpent || isSecondary))) return undefined
  // That of GraphQL may be reached while something remains by the count. The other kind has its own time.
  const resetMs = isSpent || !isSecondary ? Number(headers['x-ratelimit-reset'] ?? 0) * SECOND_MS : 0
  const retryAfterMs = parseRetryAfterMs(String(headers['retry-after'] ?? ''), now)
  const until = retryAfterMs !== undefined ? now + retryAfterMs : resetMs > now ? resetMs : undefined
  const when = until === undefined ? 'in a few minutes' : `at ${new Date(until).toISOString().replace(/\.\d+/, '')}`
  return new ForgeError(`GitHub's rate limit is reached; it goes on ${when}`, {
    status,
    exitCode: exitCodes.upstream,
    remedy: 'Nothing is lost. Run the same command again then.',
  })
}

function createRefusedLogin({ host, source }: RequestContext): ForgeError {
  return new ForgeError(`${host} does not accept the login (${source})`, {
    status: 401,
    exitCode: exitCodes.login,
    remedy: source.startsWith('gh ')
      ? `Log in again: gh auth login --hostname ${host}`
      : `It may have expired. Make another one, and replace it where it is set: ${source}`,
  })
}

function createForbidden(failed: FailedRequest, { action, host, source }: RequestContext): ForgeError {
  const headers = failed.response?.headers ?? {}
  const missing = findMissingRights(headers, describe(failed))
  const sso = /url=(\S+)/.exec(String(headers['x-github-sso'] ?? ''))?.[1]
  if (sso !== undefined)
    return new ForgeError(`${host} lets the login (${source}) ${action} only after you have authorized it for SSO`, {
      status: 403,
      exitCode: exitCodes.login,
      remedy: `Open ${toOneLine(sso, MAX_REASON_CHARS)}`,
    })
  const said = describe(failed)
  return new ForgeError(`the login (${source}) may not ${action} on ${host}: ${said}`, {
    status: 403,
    exitCode: exitCodes.login,
    remedy:
      missing.length > 0
        ? `It lacks ${missing.join(' and ')}. ${describeGrant({ source, host }, missing)}`
        : (knownRemedies.find(([pattern]) => pattern.test(said))?.[1] ??
          'Ask an owner of the repository for the right, or use another login.'),
  })
}

/** What no right of the login changes. */
const knownRemedies: [RegExp, string][] = [
  [
    /was archived/i,
    'The repository is archived, and nothing in it can be changed. An owner can unarchive it in its settings.',
  ],
  [
    /not permitted to create or approve pull requests/i,
    'Allow it in the settings of the repository: Actions, General, "Allow GitHub Actions to create and approve pull requests".',
  ],
]

function createNotFound(failed: FailedRequest, { action, host, source }: RequestContext): ForgeError {
  const headers = failed.response?.headers ?? {}
  const missing = findMissingRights(headers)
  const isCertain = headers['x-oauth-scopes'] !== undefined
  return new ForgeError(`${host} finds nothing there to ${action}`, {
    status: 404,
    exitCode: exitCodes.notFound,
    remedy:
      missing.length === 0
        ? `GitHub says the same of a private repository that the login (${source}) may not see. Look at the name, then at its rights.`
        : `GitHub hides what a login may not see, and this one (${source}) ${isCertain ? 'lacks' : 'may lack'} ${missing.join(' and ')}. ${describeGrant({ source, host }, missing)}`,
  })
}

function describeGrant({ source, host }: Pick<RequestContext, 'source' | 'host'>, missing: string[]): string {
  const scopes = missing.filter(each => /^[a-z:_]+$/.test(each))
  if (source.startsWith('gh ') && scopes.length > 0)
    return `Run: gh auth refresh --hostname ${host} --scopes ${scopes.join(',')}`
  return source === APP_SOURCE
    ? 'Give the GitHub App this permission, and accept it for the repository.'
    : 'Add it to the token on GitHub.'
}
