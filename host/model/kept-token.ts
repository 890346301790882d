import fs from 'node:fs'
import path from 'node:path'
import { hasCredentialVariable } from '../claude/credential-variables.ts'
import { readManagedSettings, readUserSettings } from '../claude/user-settings.ts'
import { makePrivateFolder, readIfPresent, writeAtomic } from '../fs/files.ts'
import { detectProvider } from './provider.ts'

/** The file with a token that the user keeps for unattended sessions, such as one of `claude setup-token`. */
export function getTokenFile(home: string): string {
  return path.join(home, 'claude-token')
}

/** Keep a token, readable by the user only. */
export function keepToken(home: string, token: string): void {
  makePrivateFolder(home)
  writeAtomic(getTokenFile(home), `${token}\n`, 0o600)
}

export function removeToken(home: string): void {
  fs.rmSync(getTokenFile(home), { force: true })
}

/**
 * Set in this process what leads to the model: the `env` of the user's and the administrator's settings of claude, as claude
 * itself does, and the kept token unless another credential is there.
 */
export function applyModelVariables(home: string): void {
  for (const { variables } of [readUserSettings(), ...readManagedSettings()]) Object.assign(process.env, variables)
  const token = readIfPresent(getTokenFile(home))?.trim()
  if (token && !hasCredentialVariable() && detectProvider() === 'anthropic')
    process.env['CLAUDE_CODE_OAUTH_TOKEN'] = token
}
