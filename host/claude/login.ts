import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { pickVariables } from '../config/environment.ts'
import { DispatchError, exitCodes } from '../error.ts'
import { runProgram } from '../exec.ts'
import { makePrivateFolder, requireRegularFile, writeAtomic } from '../fs/files.ts'
import { parseJsonc } from '../json.ts'
import { SECOND_MS } from '../time.ts'
import { readUserFile } from '../user-config/locked-write.ts'
import { findSettingsFiles, isTrusted, locateClaudeFiles, readClaudeConfig, seedConfig } from './config.ts'
import { credentialVariables, hasCredentialVariable } from './credential-variables.ts'

/** How claude logs in: `key` is a key or token in the environment with a private config, `own` is the user's login. */
export interface Login {
  kind: 'key' | 'own'
  /** The config folder of claude; undefined for claude's default. */
  configDirectory: string | undefined
  configFile: string
}

/** A config folder that the user names stays as it is. A key or token gets the private one. */
export function detectLogin(privateDirectory: string, environment = process.env): Login {
  const userDirectory = environment['CLAUDE_CONFIG_DIR']
  const isKey = !userDirectory && hasCredentialVariable(environment)
  const configDirectory = userDirectory || (isKey ? privateDirectory : undefined)
  const { configFile } = locateClaudeFiles(configDirectory, environment)
  return { kind: isKey ? 'key' : 'own', configDirectory, configFile }
}

/**
 * Make the first launch silent. A private config is seeded. The user's config is only read: when it does not trust
 * `workspace`, this is exit 7 with the command that adds the entry. Subfolders inherit trust.
 */
export function prepareLogin(login: Login, workspace: string, apiKey = process.env['ANTHROPIC_API_KEY']): void {
  if (login.kind === 'own') {
    if (isTrusted(readClaudeConfig(login.configFile), workspace)) return
    throw new DispatchError(`claude does not yet trust ${workspace} (no entry in ${login.configFile})`, {
      exitCode: exitCodes.login,
      remedy: 'Run `dispatch setup`: it shows the one entry it adds, and asks.',
    })
  }
  makePrivateFolder(path.dirname(login.configFile))
  const before = readClaudeConfig(login.configFile)
  const after = seedConfig(before, workspace, apiKey)
  if (!isDeepStrictEqual(after, before)) writeAtomic(login.configFile, JSON.stringify(after, null, 2))
}

/**
 * Exit 7 when the user is not logged in, before anything is created. claude itself is asked only when no file and no
 * variable names a login: that takes 0.3 s and no network, so the usual start costs nothing.
 */
export async function requireLogin(login: Login, claude: string): Promise<void> {
  requireRegularFile(findSettingsFiles(login).user) // claude would wait for a pipe in its place, without a message.
  if (login.kind === 'key' || hasLoginEvidence(login) || !(await isLoggedOut(claude))) return
  throw new DispatchError(`claude is not logged in (${login.configFile} names no account)`, {
    exitCode: exitCodes.login,
    remedy: 'Run `claude`, then `/login`.',
  })
}

// --- internal ---

/** Variables that make a login unnecessary: a key or token, or a cloud with its own login. */
const loginVariables = [
  ...credentialVariables,
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
  'CLAUDE_CODE_USE_FOUNDRY',
]

/** On macOS the secret is in the keychain, but the configuration still names the account. */
function hasLoginEvidence(login: Login): boolean {
  if (Object.keys(pickVariables(loginVariables)).length > 0) return true
  const config = readClaudeConfig(login.configFile)
  if (config['oauthAccount'] || config['primaryApiKey']) return true
  const { user, managed } = findSettingsFiles(login)
  const { credentials } = locateClaudeFiles(login.configDirectory)
  return fs.existsSync(credentials) || [user, ...managed].some(hasKeyProgram)
}

/** Do these settings of claude name a program that prints the key? */
function hasKeyProgram(file: string): boolean {
  const settings = ClaudeSettings.safeParse(parseJsonc(readUserFile(file)?.toString() ?? '{}').value).data
  return Boolean(settings?.['apiKeyHelper'])
}

const ClaudeSettings = z.record(z.string(), z.unknown())
const AUTH_STATUS_TIMEOUT_MS = 15 * SECOND_MS
const MAX_AUTH_STATUS_BYTES = 64 * 1024

const AuthStatus = z.looseObject({ loggedIn: z.boolean() })

/** What `claude auth status` reports. An older claude without that command counts as logged in. */
async function isLoggedOut(claude: string): Promise<boolean> {
  const result = await runProgram(claude, ['auth', 'status'], {
    cwd: os.tmpdir(),
    timeoutMs: AUTH_STATUS_TIMEOUT_MS,
    maxOutputBytes: MAX_AUTH_STATUS_BYTES,
  })
  return AuthStatus.safeParse(parseJsonc(result.stdout).value).data?.loggedIn === false
}
