import { buildChildEnvironment, type Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { SECOND_MS } from '#host/time.ts'
import { chooseApiUrl, isLoopback, type RepositoryAddress } from './address.ts'

/** The settings that lead to GitHub. */
export type ForgeConfig = Pick<
  Config,
  'GITHUB_TOKEN' | 'GITHUB_API_URL' | 'GITHUB_APP_ID' | 'GITHUB_APP_KEY_FILE' | 'GITHUB_APP_INSTALLATION' | 'home'
>

/** In whose name requests are made. `source` says where it comes from, for messages. */
export type ForgeLogin =
  | { kind: 'token'; token: string; source: string; apiUrl: string }
  | { kind: 'app'; appId: string; keyFile: string; installation: string; source: string; apiUrl: string }

/**
 * Find the login for the host of a repository: `GITHUB_TOKEN`, else a GitHub App, else the login of `gh` for that host. A token of the
 * settings goes to github.com and to the host of `GITHUB_API_URL` only. Exit 7 without one.
 */
export async function findLogin(address: RepositoryAddress, config: ForgeConfig): Promise<ForgeLogin> {
  const { url: apiUrl, isKnown } = chooseApiUrl(address, config.GITHUB_API_URL)
  if (isKnown && config.GITHUB_TOKEN !== '')
    return { kind: 'token', token: config.GITHUB_TOKEN, source: 'GITHUB_TOKEN', apiUrl }
  const { GITHUB_APP_ID: appId, GITHUB_APP_KEY_FILE: keyFile, GITHUB_APP_INSTALLATION: installation } = config
  if (isKnown && appId !== '' && keyFile !== '')
    return { kind: 'app', appId, keyFile, installation, source: 'the GitHub App', apiUrl }
  const { token, isInstalled } = await askGh(address.host, config.GITHUB_API_URL)
  // Its token for one host is for no other, whatever GITHUB_API_URL says.
  if (token !== '' && isApiOf(apiUrl, address.host))
    return { kind: 'token', token, source: `gh auth token --hostname ${address.host}`, apiUrl }
  throw createLoginError(address, config, isKnown, isInstalled)
}

// --- internal ---

/** Is it the API of this host, or one on this machine? Pure. */
function isApiOf(apiUrl: string, host: string): boolean {
  const name = URL.parse(apiUrl)?.host ?? ''
  return [host, `api.${host}`].includes(name) || isLoopback(name)
}

const GH_TIMEOUT_MS = 15 * SECOND_MS

/**
 * The token that gh has for a host; empty without one. With one of the variables for Enterprise, gh gives its value for every host that is
 * not GitHub's own, whatever the remote names: so it gets them for the host only that you have named.
 */
async function askGh(host: string, apiSetting: string): Promise<{ token: string; isInstalled: boolean }> {
  const { GH_ENTERPRISE_TOKEN, GITHUB_ENTERPRISE_TOKEN, ...others } = buildChildEnvironment()
  const isNamed = host === others['GH_HOST']?.toLowerCase() || (apiSetting !== '' && isApiOf(apiSetting, host))
  const ran = await runProgram('gh', ['auth', 'token', '--hostname', host], {
    timeoutMs: GH_TIMEOUT_MS,
    env: isNamed ? buildChildEnvironment() : others,
  })
  const token = ran.exitCode === 0 ? ran.stdout.trim() : ''
  return { token: /^[\x21-\x7e]+$/.test(token) ? token : '', isInstalled: ran.startError === undefined }
}

function createLoginError(
  { host }: RepositoryAddress,
  { home, GITHUB_TOKEN, GITHUB_APP_ID, GITHUB_APP_KEY_FILE }: ForgeConfig,
  isKnown: boolean,
  hasGh: boolean,
): DispatchError {
  const withGh = `gh auth login --hostname ${host}${hasGh ? '' : ' (after you have installed gh)'}`
  if (!isKnown)
    return new DispatchError(
      GITHUB_TOKEN === ''
        ? `there is no login for ${host}`
        : `there is no login for ${host}: GITHUB_TOKEN is sent only to github.com, or to the host of GITHUB_API_URL`,
      {
        exitCode: exitCodes.login,
        remedy: `If that is GitHub Enterprise: ${withGh}, or set GITHUB_API_URL=https://${host}/api/v3 and GITHUB_TOKEN in ${home}/.env`,
      },
    )
  const half = (GITHUB_APP_ID === '') !== (GITHUB_APP_KEY_FILE === '')
  return new DispatchError(`there is no login for ${host}`, {
    exitCode: exitCodes.login,
    remedy: half
      ? `A GitHub App needs both GITHUB_APP_ID and GITHUB_APP_KEY_FILE in ${home}/.env`
      : `Run: ${withGh}, or put GITHUB_TOKEN=… into ${home}/.env`,
  })
}
