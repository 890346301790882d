import { agentVariableNames, pickVariables, settingsSchema } from '#host/config'
/**
 * What a process that sends has of its caller: the way out, the way to the desktop, and the settings that stand in the
 * environment. What `.env` says a deliverer reads itself, so that a change there counts; an agent's keys are none of its
 * business.
 */
export function buildSenderEnvironment(home: string): Record<string, string> {
  const proxies = agentVariableNames.filter(name => /proxy$|^SSL_CERT_FILE$|^NODE_EXTRA_CA_CERTS$/i.test(name))
  const own = pickVariables([...Object.keys(settingsSchema.shape), ...proxies, ...inheritedVariables])
  const hasProxy = Object.keys(own).some(name => /^https?_proxy$/i.test(name))
  return { ...own, DISPATCH_HOME: home, ...(hasProxy ? { NODE_USE_ENV_PROXY: '1' } : {}) }
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
