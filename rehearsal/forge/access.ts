import { verify } from 'node:crypto'
import { SECOND_MS } from '#host/time.ts'
import { fail, type Need, notFound, type Reply } from './router.ts'
import { type ForgeState, getRole, type ScriptedRepository, type ScriptedToken } from './state.ts'

const RATE_LIMIT_REQUESTS = 5000

/** The token of a request: `token …` or `Bearer …` for the API, a password for git. An App proves itself by a signed one. */
export function findToken({ tokens, app }: ForgeState, authorization: string | undefined): ScriptedToken | undefined {
  const [kind = '', value = ''] = (authorization ?? '').split(' ')
  const token = /^basic$/i.test(kind)
    ? Buffer.from(value, 'base64')
        .toString()
        .replace(/^[^:]*:/, '')
    : value
  if (Object.hasOwn(tokens, token)) return tokens[token]
  const [head = '', claims = '', signature = ''] = token.split('.')
  if (app === undefined || signature === '') return undefined
  const { iss, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { iss: unknown; exp: number }
  const signed = Buffer.from(`${head}.${claims}`)
  const isApp = verify('RSA-SHA256', signed, app.publicKey, Buffer.from(signature, 'base64url'))
  const isValid = isApp && String(iss) === app.id && exp * SECOND_MS > Date.now()
  return isValid ? { login: `app-${app.id}[bot]`, rate: { remaining: 1, resetAt: 0 } } : undefined
}

/** What GitHub says of a token with each answer. */
export function buildTokenHeaders({ scopes, rate }: ScriptedToken, need: Need | undefined): Record<string, string> {
  return {
    'x-ratelimit-limit': String(RATE_LIMIT_REQUESTS),
    'x-ratelimit-remaining': String(rate.remaining),
    'x-ratelimit-reset': String(rate.resetAt),
    'x-ratelimit-used': String(RATE_LIMIT_REQUESTS - rate.remaining),
    'x-ratelimit-resource': 'core',
    ...(scopes === undefined
      ? need && { 'x-accepted-github-permissions': `${need[0]}=${need[1]}` }
      : { 'x-oauth-scopes': scopes.join(', '), 'x-accepted-oauth-scopes': need === undefined ? '' : 'repo' }),
  }
}

/** Count the request. Returns what GitHub answers when the limit is reached. */
export function takeFromLimit({ rate, login }: ScriptedToken): Reply | undefined {
  if (rate.remaining > 0) {
    rate.remaining--
    return undefined
  }
  if (rate.resetAt * SECOND_MS > Date.now()) return fail(403, `API rate limit exceeded for user ${login}.`)
  rate.remaining = RATE_LIMIT_REQUESTS - 1
  return undefined
}

/**
 * Why a token may not do this; undefined if it may. What a classic token may not see or do is not there for it; a fine-grained one is
 * told which permission it lacks.
 */
export function checkAccess(
  token: ScriptedToken,
  repository: ScriptedRepository | undefined,
  need: Need | undefined,
): Reply | undefined {
  if (need === undefined) return undefined
  if (repository === undefined || getRole(repository, token.login) === 'none') return notFound
  const [permission, access] = need
  if (token.scopes === undefined) {
    const granted = permission === 'metadata' ? 'read' : token.permissions?.[permission]
    const may = granted === 'write' || granted === access || (!repository.isPrivate && access === 'read')
    return may ? undefined : fail(403, 'Resource not accessible by personal access token')
  }
  const hasScope = token.scopes.includes('repo') || (!repository.isPrivate && token.scopes.includes('public_repo'))
  return hasScope || (!repository.isPrivate && access === 'read') ? undefined : notFound
}
