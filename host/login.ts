import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { type Login, readClaudeConfig, settingsFiles } from './claude.ts'
import { variables } from './config.ts'
import { DispatchError, exits } from './error.ts'
import { refuseStranger } from './files.ts'
import { readJsonc } from './jsonc.ts'
import { run } from './run.ts'
import { readUserFile } from './user-file.ts'

/**
 * Refuse (exit 7) your own login when it is none, before anything is made. Only where no file and no variable speaks of a
 * login is claude asked: that costs 0.3 s and no network, and the usual start nothing.
 */
export async function requireLogin(login: Login, claude: string): Promise<void> {
  refuseStranger(settingsFiles(login).own) // Claude would wait for a pipe, and say nothing.
  if (login.kind === 'key' || hasSigns(login) || !(await isLoggedOut(claude))) return
  throw new DispatchError(`claude is not logged in (${login.configFile} names no account)`, {
    exit: exits.login,
    remedy: 'Run `claude`, then `/login`.',
  })
}

// --- internal ---

/** What in the environment stands for a login: a key or token, or a cloud that has one of its own. */
const ways = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
]

/** On macOS the keychain has the secret, and the configuration names the account all the same. */
function hasSigns(login: Login): boolean {
  if (Object.keys(variables(ways)).length > 0) return true
  const config = readClaudeConfig(login.configFile)
  if (config['oauthAccount'] || config['primaryApiKey']) return true
  const { own, managed } = settingsFiles(login)
  return fs.existsSync(path.join(path.dirname(own), '.credentials.json')) || [own, ...managed].some(namesKey)
}

function namesKey(file: string): boolean {
  return Boolean(Settings.safeParse(readJsonc(readUserFile(file)?.toString() ?? '{}').value).data?.[keyProgram])
}

/** A setting of claude's: a program that prints the key. */
const keyProgram = 'apiKeyHelper'
const Settings = z.record(z.string(), z.unknown())
const Status = z.looseObject({ loggedIn: z.boolean() })

/** Claude's own word for it. One that says nothing of the kind (an older one) is believed to be logged in. */
async function isLoggedOut(claude: string): Promise<boolean> {
  const ran = await run(claude, ['auth', 'status'], { cwd: os.tmpdir(), deadline: 15_000, keep: 64 * 1024 })
  return Status.safeParse(readJsonc(ran.stdout).value).data?.loggedIn === false
}
