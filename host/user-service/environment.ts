import os from 'node:os'
import path from 'node:path'
import { readUserSettings } from '../claude/user-settings.ts'
import { isBuilt } from '../config/config.ts'
import { readEnvFile } from '../config/env-file.ts'
import { agentVariableNames, listDependencyVariables, pickVariables, SERVICE_VARIABLE } from '../config/environment.ts'
import { settingNames } from '../config/settings.ts'
import { findSecrets } from '../secrets/index.ts'
import { findToolchains } from '../toolchains/index.ts'
import { askLoginPath, mergeSearchPaths } from './login-path.ts'

/** The environment of a service, and what this shell has set that the service will not have. */
export interface ServiceEnvironment {
  variables: Record<string, string>
  /** Each with the place where it belongs instead. */
  withheld: { name: string; place: string }[]
}

/**
 * The environment for the service of a home: who the user is, the PATH of this shell and of a login, toolchains, the way to the
 * model. No secret is in it, because the definition of a service is a file that other programs print; and no setting, because one
 * in the environment would hide a later change of `.env`.
 */
export async function planEnvironment(
  home: string,
  environment = process.env,
  platform = process.platform,
): Promise<ServiceEnvironment> {
  const toolchains = await findToolchains({ untrustedFolders: [home], environment })
  const login = await askLoginPath(environment)
  const wanted = pickVariables([...userVariables, ...agentVariableNames, ...pickCertificates(environment)], environment)
  const secrets = Object.entries(wanted).flatMap(([name, value]) => (isSecret(name, value) ? [name] : []))
  const known = readEnvFile(path.join(home, '.env')).entries
  const settings = settingNames.filter(name => environment[name] && !known.has(name))
  const variables = { ...wanted, ...toolchains.variables }
  for (const name of secrets) delete variables[name]
  // launchd gives each login another one, and gives it to its services by itself.
  if (platform === 'darwin' && launchdSocket.test(variables['SSH_AUTH_SOCK'] ?? '')) delete variables['SSH_AUTH_SOCK']
  return {
    variables: {
      HOME: os.homedir(),
      ...variables,
      PATH: mergeSearchPaths(toolchains.variables['PATH'] ?? environment['PATH'] ?? '', login),
      DISPATCH_HOME: home,
      ...(isBuilt ? {} : { DISPATCH_DEV: '1' }),
      [SERVICE_VARIABLE]: '1',
    },
    withheld: [
      ...settings.map(name => ({ name, place: path.join(home, '.env') })),
      ...secrets
        .filter(name => !(name in readUserSettings().variables))
        .map(name => ({ name, place: 'the `env` of your claude settings.json' })),
    ],
  }
}

// --- internal ---

const userVariables = [
  ...['HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR', 'TMUX_TMPDIR'],
  // By which git reaches a remote and signs. An agent of a login may be gone after the next one.
  ...['SSH_AUTH_SOCK', 'GIT_SSH', 'GIT_SSH_COMMAND', 'GIT_CONFIG_GLOBAL', 'GNUPGHOME', 'XDG_CONFIG_HOME'],
]

/** The socket of the agent of SSH that macOS starts. */
const launchdSocket = /com\.apple\.launchd\.[^/]+\/Listeners$/

const secretName =
  /(API_KEY|AUTH_TOKEN|OAUTH_TOKEN|BEARER_TOKEN|SESSION_TOKEN|ACCESS_KEY|ACCESS_KEY_ID|PASSPHRASE|CUSTOM_HEADERS)(_|$)/

/** By its name, by the form of its value, or because it is an address with a password. That of a proxy may lack the scheme. */
function isSecret(name: string, value: string): boolean {
  if (/proxy/i.test(name) && value.includes('@')) return true
  return secretName.test(name) || /\/\/[^/@\s]+@/.test(value) || findSecrets(value).length > 0
}

/** Proxies and certificates, of all that package tools are told by variables. */
function pickCertificates(environment: NodeJS.ProcessEnv): string[] {
  return listDependencyVariables([], environment).filter(name => /cert|ca_?bundle|ca_?info|ca_?file|proxy/i.test(name))
}
