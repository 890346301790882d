import fs from 'node:fs'
import path from 'node:path'
import { findProgram } from '../exec.ts'
import { type buildRuntimeConfig, findRuntimeFolder } from './command-line.ts'
import { loadCommandLine } from './library.ts'

/** The way out of a sandbox with a network: the socket of a proxy, and the password that it asks for. */
export interface ProxyAccess {
  socket: string
  password: string
}

/**
 * The command line of bubblewrap for a configuration, as sandbox-runtime makes it, for `sh`. `release` is called once, when
 * the command has ended or will not be run.
 */
export async function buildBubblewrapLine(
  { filesystem, ripgrep, socatPath }: ReturnType<typeof buildRuntimeConfig>,
  script: string,
  { role, searchPath, proxy }: { role: string; searchPath: string; proxy?: ProxyAccess | undefined },
): Promise<{ commandLine: string; release: () => void }> {
  const { wrapCommandWithSandboxLinux, cleanupBwrapMountPoints } = await loadCommandLine()
  const javaAgents = proxy === undefined ? [] : listJavaAgents()
  const commandLine = await retryShellSearch(wrapCommandWithSandboxLinux, {
    command: script,
    commandId: role,
    needsNetworkRestriction: true,
    ...(proxy && { ...proxyPorts, httpSocketPath: proxy.socket, socksSocketPath: proxy.socket }),
    ...(proxy && { proxyAuthToken: proxy.password }),
    ...(javaAgents[0] !== undefined && { javaAgentJarPath: javaAgents[0] }),
    // Every path is a name, also one with letters of a pattern.
    readConfig: {
      denyOnly: [],
      literalDenyOnly: filesystem.denyRead.map(getName),
      literalAllowWithinDeny: [...filesystem.allowRead.map(getName), ...javaAgents],
      ownAllowWithinDeny: javaAgents,
    },
    writeConfig: {
      allowOnly: [],
      literalAllowOnly: filesystem.allowWrite.map(getName),
      denyWithinAllow: filesystem.denyWrite.map(getName),
    },
    allowAllUnixSockets: true,
    binShell: '/bin/sh',
    ripgrepConfig: ripgrep,
    bwrapPath: findProgram('bwrap', searchPath),
    socatPath,
  })
  return { commandLine, release: cleanupBwrapMountPoints }
}

// --- internal ---

/** The library names them in variables that the command does not get. */
const proxyPorts = { httpProxyPort: 1, socksProxyPort: 1 }

const MAX_ATTEMPTS = 10

/** The library asks `which` for the shell and gives it a second. On a busy machine it takes longer, and seems not to be there. */
async function retryShellSearch<Parameters>(
  wrap: (parameters: Parameters) => Promise<string>,
  parameters: Parameters,
): Promise<string> {
  for (let attempt = 1; ; attempt++)
    try {
      return await wrap(parameters)
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !/^Shell '/.test(error instanceof Error ? error.message : '')) throw error
    }
}

function getName(entry: string | { path: string }): string {
  return typeof entry === 'string' ? entry : entry.path
}

/** What leads Java to the proxy, for the role that keeps the variable. */
function listJavaAgents(): string[] {
  return [path.join(findRuntimeFolder(), 'vendor/java-proxy-agent/srt-proxy-agent.jar')].filter(file =>
    fs.existsSync(file),
  )
}
