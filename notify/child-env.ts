import { agentVariableNames, pickVariables, settingsSchema } from '#host/config'

/**
 * The environment of a process that sends notifications: proxies, what a desktop needs, and the settings that are set in the
 * environment. Settings in `.env` are not copied: the deliverer reads them itself, so that a change takes effect. An agent's
 * keys are left out.
 */
export function buildSenderEnvironment(home: string): Record<string, string> {
  const proxyNames = agentVariableNames.filter(name => /proxy$|^SSL_CERT_FILE$|^NODE_EXTRA_CA_CERTS$/i.test(name))
  const variables = pickVariables([...Object.keys(settingsSchema.shape), ...proxyNames, ...inheritedVariables])
  const hasProxy = Object.keys(variables).some(name => /^https?_proxy$/i.test(name))
  return { ...variables, DISPATCH_HOME: home, ...(hasProxy ? { NODE_USE_ENV_PROXY: '1' } : {}) }
}

const inheritedVariables = [
  'PATH',
  'HOME',
  'USER',
  'TMPDIR',
  'TZ',
  'LANG',
  'NODE_COMPILE_CACHE',
  'DBUS_SESSION_BUS_ADDRESS',
  'XDG_RUNTIME_DIR',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
]
