import os from 'node:os'
import { locateClaudeFiles, readClaudeConfig } from '../claude/config.ts'
import { hasCredentialVariable } from '../claude/credential-variables.ts'
import type { Login } from '../claude/login.ts'
import { readManagedSettings, readUserSettings } from '../claude/user-settings.ts'
import { DispatchError, exitCodes } from '../error.ts'
import { runProgram } from '../exec.ts'
import { sha256 } from '../hash.ts'
import { keychainProgram } from '../system-program.ts'
import { SECOND_MS } from '../time.ts'
import { detectProvider } from './provider.ts'
import { parseStoredLogin, readStoredLogin, type StoredLogin } from './stored-login.ts'

/** Where claude keeps what `/login` gave it. Only claude writes it. */
export interface LoginStore {
  /** The login to a subscription. */
  readLogin(): Promise<StoredLogin | undefined>
  /** The key of a login to the console. */
  readKey(): Promise<string | undefined>
}

/** The store of the user's claude. With a keychain it is that, and the files are for a claude that could not write there. */
export function openLoginStore(
  configDirectory: string | null,
  environment: NodeJS.ProcessEnv,
  keychain: string | undefined,
): LoginStore {
  const { credentials, configFile } = locateClaudeFiles(configDirectory, environment)
  const read = async (suffix: string) =>
    keychain && readKeychain(keychain, nameService(suffix, configDirectory), nameAccount(environment))
  const store: LoginStore = {
    async readLogin() {
      return parseStoredLogin((await read('-credentials')) ?? '') ?? readStoredLogin(credentials)
    },
    async readKey() {
      if (await store.readLogin()) return undefined
      const key = (await read('')) || readClaudeConfig(configFile)['primaryApiKey']
      return typeof key === 'string' ? key : undefined
    },
  }
  return store
}

/**
 * Exit 7 where agents in a sandbox would need a login that is not in the keychain as this process can read it. Without one they
 * would say that they are not logged in.
 */
export async function requireReadableLogin(
  isSandboxed: boolean,
  { kind, configDirectory = null }: Pick<Login, 'kind'> & { configDirectory?: string | null | undefined },
  keychain = keychainProgram,
  environment = process.env,
): Promise<void> {
  if (!isSandboxed || keychain === undefined || kind === 'key' || hasCredentialVariable(environment)) return
  const settings = [
    readUserSettings(locateClaudeFiles(configDirectory, environment).settings),
    ...readManagedSettings(),
  ]
  if (detectProvider(environment) !== 'anthropic' || settings.some(({ keyProgram }) => keyProgram !== undefined)) return
  const store = openLoginStore(configDirectory, environment, keychain)
  if ((await store.readLogin()) ?? (await store.readKey())) return
  throw new DispatchError(
    `in a sandbox, agents cannot use your login: the keychain gives no "${nameService('-credentials', configDirectory)}"`,
    {
      exitCode: exitCodes.login,
      remedy:
        'Unlock the keychain (`security unlock-keychain`), or run `claude` and `/login`. Or keep a token: `dispatch setup --token`.',
    },
  )
}

/** The name of what claude (2.1.329) keeps in the keychain. Pure. */
export function nameService(suffix: string, configDirectory: string | null): string {
  const folder = configDirectory === null ? '' : `-${sha256(configDirectory.normalize('NFC')).slice(0, 8)}`
  return `Claude Code${suffix}${folder}`
}

// --- internal ---

const READ_TIMEOUT_MS = 10 * SECOND_MS

function nameAccount({ USER }: NodeJS.ProcessEnv): string {
  const name = USER || os.userInfo().username
  return /^[\w.-]+$/.test(name) ? name : 'claude-code-user'
}

/** The text of an item; undefined without one, and if it may not be read. `security` prints other than plain text in hex. */
async function readKeychain(program: string, service: string, account: string): Promise<string | undefined> {
  const args = ['find-generic-password', '-a', account, '-w', '-s', service]
  const { exitCode, stdout } = await runProgram(program, args, { timeoutMs: READ_TIMEOUT_MS })
  const text = stdout.trim()
  if (exitCode !== 0 || text === '') return undefined
  return /^([0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex').toString('utf8') : text
}
