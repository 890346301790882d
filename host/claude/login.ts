import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { pickVariables } from '../config/config.ts'
import { DispatchError, exitCodes } from '../error.ts'
import { runProgram } from '../exec.ts'
import { requireRegularFile } from '../fs/files.ts'
import { parseJsonc } from '../json.ts'
import { readUserFile } from '../user-config/locked-write.ts'
import { findSettingsFiles, type Login, readClaudeConfig } from './claude.ts'

/**
 * Refuse (exit 7) your own login when it is none, before anything is made. Only where no file and no variable speaks of a
 * login is claude asked: that costs 0.3 s and no network, and the usual start nothing.
 */
export async function requireLogin(login: Login, claude: string): Promise<void> {
  requireRegularFile(findSettingsFiles(login).user) // Claude would wait for a pipe, and say nothing.
  if (login.kind === 'key' || hasLoginEvidence(login) || !(await isLoggedOut(claude))) return
  throw new DispatchError(`claude is not logged in (${login.configFile} names no account)`, {
    exitCode: exitCodes.login,
    remedy: 'Run `claude`, then `/login`.',
  })
}

// --- internal ---

/** What in the environment stands for a login: a key or token, or a cloud that has one of its own. */
const loginVariables = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
]

/** On macOS the keychain has the secret, and the configuration names the account all the same. */
function hasLoginEvidence(login: Login): boolean {
  if (Object.keys(pickVariables(loginVariables)).length > 0) return true
  const config = readClaudeConfig(login.configFile)
  if (config['oauthAccount'] || config['primaryApiKey']) return true
  const { user, managed } = findSettingsFiles(login)
  return fs.existsSync(path.join(path.dirname(user), '.credentials.json')) || [user, ...managed].some(hasKeyProgram)
}

function hasKeyProgram(file: string): boolean {
  return Boolean(
    Settings.safeParse(parseJsonc(readUserFile(file)?.toString() ?? '{}').value).data?.[KEY_PROGRAM_SETTING],
  )
}

/** A setting of claude's: a program that prints the key. */
const KEY_PROGRAM_SETTING = 'apiKeyHelper'
const Settings = z.record(z.string(), z.unknown())
const Status = z.looseObject({ loggedIn: z.boolean() })

/** Claude's own word for it. One that says nothing of the kind (an older one) is believed to be logged in. */
async function isLoggedOut(claude: string): Promise<boolean> {
  const ran = await runProgram(claude, ['auth', 'status'], {
    cwd: os.tmpdir(),
    timeoutMs: 15_000,
    maxOutputChars: 64 * 1024,
  })
  return Status.safeParse(parseJsonc(ran.stdout).value).data?.loggedIn === false
}
