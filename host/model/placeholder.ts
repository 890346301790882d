import { randomBytes } from 'node:crypto'
import { credentialVariables } from '../claude/credential-variables.ts'

/** What an agent holds in place of a credential. It is worth nothing anywhere but at this agent's relay. */
export function createPlaceholder(): string {
  return `dispatch-placeholder-${randomBytes(16).toString('hex')}`
}

/** Variables that an agent behind a relay does not inherit. */
export const relayedVariableNames = [
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_CUSTOM_HEADERS',
  'CLAUDE_CODE_CLIENT_CERT',
  'CLAUDE_CODE_CLIENT_KEY',
  'CLAUDE_CODE_CLIENT_KEY_PASSPHRASE',
  ...credentialVariables,
]
