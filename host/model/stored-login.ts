import { z } from 'zod'
import { readIfPresent } from '../fs/files.ts'
import { parseJson } from '../json.ts'

/** What claude stores after `/login`. */
export interface StoredLogin {
  accessToken: string
  canBeRenewed: boolean
  /** Milliseconds since 1970; null if it never expires. */
  expiresAt: number | null
  scopes: string[]
  subscriptionType: string | null
}

/** Read the stored login; undefined without one. */
export function readStoredLogin(file: string): StoredLogin | undefined {
  return parseStoredLogin(readIfPresent(file) ?? '')
}

/** The login in what claude has stored; undefined without one. Pure. */
export function parseStoredLogin(text: string): StoredLogin | undefined {
  const stored = CredentialsFile.safeParse(parseJson(text)).data?.claudeAiOauth
  if (stored === undefined) return undefined
  const { accessToken, refreshToken, expiresAt = null, scopes, subscriptionType } = stored
  return { accessToken, canBeRenewed: Boolean(refreshToken), expiresAt, scopes, subscriptionType }
}

/**
 * The text of a `.credentials.json` for an agent: the user's plan and the placeholder. It names no refresh token, so the agent's
 * claude never renews anything.
 */
export function renderPlaceholderLogin(login: StoredLogin, placeholder: string): string {
  const { scopes, subscriptionType } = login
  const claudeAiOauth = { accessToken: placeholder, expiresAt: NEVER_MS, scopes, subscriptionType }
  return JSON.stringify({ claudeAiOauth })
}

// --- internal ---

const CredentialsFile = z.object({
  claudeAiOauth: z.object({
    accessToken: z.string(),
    refreshToken: z.string().nullish(),
    expiresAt: z
      .number()
      .nullish()
      .transform(value => value ?? null),
    scopes: z.array(z.string()).default([]),
    subscriptionType: z.string().nullable().default(null),
  }),
})

/** The year 2100. */
const NEVER_MS = Date.UTC(2100, 0)
