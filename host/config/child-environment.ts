import { pickVariables, SERVICE_VARIABLE } from './environment.ts'
import { type Settings, settingNames } from './settings.ts'

/** Every setting as a variable, for a child process that must use the same settings. */
export function exportSettings(config: Settings): Record<string, string> {
  return Object.fromEntries(settingNames.map(name => [name, String(config[name])]))
}

/**
 * The environment of a child: that of this process, and Node's proxy. A child that is a `dispatch` reads `.env` itself: a setting in a
 * variable would hide each later change from it, and from what it leaves running.
 */
export function buildChildEnvironment(): Record<string, string> {
  const inherited = pickVariables(Object.keys(process.env).filter(name => name !== SERVICE_VARIABLE))
  const hasProxy = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some(name => inherited[name])
  return hasProxy ? { ...inherited, NODE_USE_ENV_PROXY: '1' } : inherited
}
