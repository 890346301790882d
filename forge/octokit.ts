import { retry } from '@octokit/plugin-retry'
import { throttling } from '@octokit/plugin-throttling'
import { Octokit } from '@octokit/rest'
import Bottleneck from 'bottleneck'
import { sha256 } from '#host/hash.ts'
import { isLoopback } from './address.ts'
import { type AnswerMemory, askForChange } from './etag-cache.ts'
import { fetchThroughProxy } from './fetch.ts'

/** GitHub's client: REST by `rest`, GraphQL by `graphql`, all pages by `paginate`. */
export type GitHubClient = InstanceType<typeof ForgeOctokit>

export interface ClientOptions {
  apiUrl: string
  /** The token, or the way in which an App gets one. */
  auth: object
  /** Called before it waits for a rate limit, with the seconds. */
  onWait?(seconds: number): void
  /** Ask only for what has changed since. */
  memory?: AnswerMemory | undefined
}

/**
 * Create a client. It takes its turn as GitHub asks for, tries again what a server or a network failed at (three times; a request that
 * makes or merges something not at all), and waits for a rate limit if that is short.
 */
export function createClient({ apiUrl, auth, onWait = () => undefined, memory }: ClientOptions): GitHubClient {
  const waitIfShort = (seconds: number, retryCount: number) => {
    const waits = seconds <= MAX_LIMIT_WAIT_SECONDS && retryCount < MAX_LIMIT_ATTEMPTS
    if (waits) onWait(seconds)
    return waits
  }
  const client = new ForgeOctokit({
    ...auth,
    baseUrl: apiUrl,
    userAgent: 'claude-dispatch',
    log: quiet,
    request: { fetch: fetchThroughProxy },
    retry: { retries: MAX_REQUEST_TRIES, retryAfterBaseValue: RETRY_BASE_MS, doNotRetry: answers },
    throttle: {
      id: sha256(JSON.stringify([apiUrl, auth])), // Clients of the same login take turns.
      ...(isLoopback(URL.parse(apiUrl)?.host) && turnsWithoutPauses),
      onRateLimit: (seconds, _options, _client, retryCount) => waitIfShort(seconds, retryCount),
      onSecondaryRateLimit: (seconds, _options, _client, retryCount) => waitIfShort(seconds, retryCount),
    },
  })
  // What a lost answer may have made or merged already is looked for, and not done again blindly.
  client.hook.before('request', options => {
    const { method, url } = options
    if ((method === 'POST' && !url.endsWith('/graphql')) || (method === 'PUT' && url.endsWith('/merge')))
      options.request = { ...options.request, retries: 0 }
  })
  if (memory !== undefined)
    client.hook.wrap('request', async (send, options) => {
      if (options.method !== 'GET') return send(options)
      const { url } = client.request.endpoint({ ...options })
      return askForChange(memory, url, async etag => {
        if (etag !== undefined) options.headers['if-none-match'] = etag
        return send(options)
      })
    })
  return client
}

// --- internal ---

const MAX_REQUEST_TRIES = 3
/** The wait before try n is n² times this: 5.6 seconds in all. */
const RETRY_BASE_MS = 400
const MAX_LIMIT_WAIT_SECONDS = 60
const MAX_LIMIT_ATTEMPTS = 2

/** What stays the same when it is asked again. Limits (403, 429) are for the other plugin. */
const answers = [400, 401, 403, 404, 405, 409, 410, 422, 451]

const ForgeOctokit = Octokit.plugin(throttling, retry)

/**
 * One write at a time as always, but without the one to three seconds that GitHub wants between them: on this machine there is only a
 * stand-in of the tests.
 */
const turnsWithoutPauses = {
  write: new Bottleneck.Group({ maxConcurrent: 1 }),
  notifications: new Bottleneck.Group({ maxConcurrent: 1 }),
}

/** What goes wrong becomes an error. Nothing of a library belongs on the terminal. */
const quiet = { debug: ignore, info: ignore, warn: ignore, error: ignore }

function ignore(): void {
  return undefined
}
