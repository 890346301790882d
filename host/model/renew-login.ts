import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runProgram } from '../exec.ts'
import { readIfPresent, writeAtomic } from '../fs/files.ts'
import { sha256 } from '../hash.ts'
import { parseJson } from '../json.ts'
import { acquireLease, releaseLease } from '../lease/lease.ts'
import { identify } from '../process/identity.ts'
import { MINUTE_MS, SECOND_MS } from '../time.ts'
import type { Credential } from './credential.ts'
import type { LoginStore } from './login-store.ts'
import type { StoredLogin } from './stored-login.ts'

/** The user's own login to a subscription, and how to renew it. */
export interface StoredLoginSource {
  store: Pick<LoginStore, 'readLogin'>
  /** The user's claude, and the environment in which it finds that store. */
  claude: string
  environment: Record<string, string>
  /** The folder of the lease that lets one process renew at a time. */
  leaseFolder: string
}

/**
 * The user's own login as a credential. A refresh token can be used once, so exactly one process renews it: the user's
 * claude, outside of every sandbox, while this process holds a lease. Any other process waits, and reads the new token.
 */
export function createStoredCredential(source: StoredLoginSource): Credential {
  let last: StoredLogin | undefined
  // claude replaces what it stores at once, so it is always whole; without it the last login is used.
  const readLogin = async () => {
    last = (await source.store.readLogin()) ?? last
    return last
  }
  const toHeaders = (login: StoredLogin | undefined) => ({ authorization: `Bearer ${login?.accessToken ?? ''}` })
  return {
    async read() {
      const login = await readLogin()
      if (!login?.canBeRenewed || !isExpiring(login)) return toHeaders(login)
      await renewLogin(source, login.accessToken)
      return toHeaders(await readLogin())
    },
    async renew(refused) {
      const token = refused.authorization?.replace(/^Bearer /, '') ?? ''
      if ((await readLogin())?.accessToken === token && last?.canBeRenewed) await renewLogin(source, token)
      const renewed = (await readLogin())?.accessToken
      return Boolean(renewed) && renewed !== token
    },
  }
}

// --- internal ---

/** claude renews a token that expires within five minutes (measured with 2.1.329), so it does so when asked now. */
const RENEW_BEFORE_MS = 4 * MINUTE_MS
const RENEW_TIMEOUT_MS = MINUTE_MS
const LEASE_TIMEOUT_MS = 2 * MINUTE_MS
const LEASE_INTERVAL_MS = 50
/** After a renewal that failed, the next one waits this long. */
const FAILURE_PAUSE_MS = 30 * SECOND_MS

function isExpiring({ expiresAt }: StoredLogin): boolean {
  return expiresAt !== null && expiresAt - Date.now() < RENEW_BEFORE_MS
}

/** Renew the login that has this access token, unless another process has done so or has just failed. */
async function renewLogin(source: StoredLoginSource, token: string): Promise<void> {
  const isCurrent = async () => (await source.store.readLogin())?.accessToken === token
  const self = await identify(process.pid)
  if (self === undefined) return
  const endMs = Date.now() + LEASE_TIMEOUT_MS
  for (; (await isCurrent()) && Date.now() < endMs; await sleep(LEASE_INTERVAL_MS)) {
    const lease = await acquireLease(source.leaseFolder, self, { elsewhereExpiresMs: LEASE_TIMEOUT_MS })
    if (lease === undefined) continue
    try {
      if (!(await isCurrent()) || hasJustFailed(source, token)) return
      await runRenewal(source, token)
      if (await isCurrent()) recordFailure(source, token)
      return
    } finally {
      releaseLease(source.leaseFolder, lease)
    }
  }
}

/**
 * Let the user's claude renew its login. `claude auth status` renews one that is about to expire, and costs nothing. One
 * that was refused before its time is renewed when a request is refused, so this sends the smallest request.
 */
async function runRenewal({ store, claude, environment }: StoredLoginSource, token: string): Promise<void> {
  const options = { cwd: os.tmpdir(), env: environment, timeoutMs: RENEW_TIMEOUT_MS, maxOutputBytes: 64 * 1024 }
  await runProgram(claude, ['auth', 'status'], options)
  if ((await store.readLogin())?.accessToken !== token) return
  const plain = ['--setting-sources', '', '--strict-mcp-config', '--tools', '', '--no-session-persistence']
  await runProgram(claude, ['-p', 'Answer with one word: ok', '--model', 'haiku', ...plain], options)
}

interface Failure {
  tokenSha256: string
  atMs: number
}

const failureFile = ({ leaseFolder }: StoredLoginSource) => path.join(leaseFolder, 'last-failure.json')

function hasJustFailed(source: StoredLoginSource, token: string): boolean {
  const failure = parseJson(readIfPresent(failureFile(source)) ?? '') as Failure | undefined
  return failure?.tokenSha256 === sha256(token) && Date.now() - failure.atMs < FAILURE_PAUSE_MS
}

function recordFailure(source: StoredLoginSource, token: string): void {
  const failure: Failure = { tokenSha256: sha256(token), atMs: Date.now() }
  writeAtomic(failureFile(source), JSON.stringify(failure))
}
