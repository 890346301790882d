import { pickVariables, SERVICE_VARIABLE } from './environment.ts'
import { type Settings, settingNames } from './settings.ts'

/** Every setting as a variable, for a child process that must use the same settings. */
export function exportSettings(config: Settings): Record<string, string> {
  return Object.fromEntries(settingNames.map(name => [name, String(config[name])]))
}

/** The environment of a short-lived child (the judge, a push): that of this process, the settings, and Node's proxy. */
export function buildChildEnvironment(config: Settings): Record<string, string> {
  const names = Object.keys(process.env).filter(name => name !== SERVICE_VARIABLE)
  const inherited = { ...pickVariables(names), ...exportSettings(config) }
  const hasProxy = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some(name => inherited[name])
  return hasProxy ? { ...inherited, NODE_USE_ENV_PROXY: '1' } : inherited
}
