import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { detectSandbox, parseHost } from '#host/sandbox'
import type { SessionManifest } from '#session'
import { paint, print } from '../output/terminal.ts'
/**
 * What is to hold the agents and checks of a new session, decided once: by `--sandbox`, else by SANDBOX. Exit 11 where one is
 * required and this machine has none that works.
 */
export async function resolveSandbox(config: Config, named: string | undefined): Promise<SessionManifest['sandbox']> {
  const wanted = named ?? config.SANDBOX
  if (wanted === 'off')
    return { kind: null, reason: named === undefined ? 'SANDBOX=off' : 'it was started with --sandbox off' }
  if (wanted !== 'auto' && wanted !== 'required')
    throw new DispatchError(`--sandbox takes auto, required or off, and not "${wanted}"`, { exitCode: exitCodes.usage })
  const here = await detectSandbox()
  if ('kind' in here) return { kind: here.kind, reason: '' }
  if (wanted === 'auto') return { kind: null, reason: here.problem }
  throw new DispatchError(`a sandbox is required, and there is none: ${here.problem}`, {
    exitCode: exitCodes.sandbox,
    remedy: here.remedy,
  })
}

/** A host that agents may call, from the command line: `example.com`, or with a port. Exit 2 for what is none. */
export function parseAllowedHost(text: string): string {
  const host = parseHost(text)
  if (host !== undefined) return host
  throw new DispatchError(`--allow-host takes the name of a host, and "${text}" is none`, {
    exitCode: exitCodes.usage,
    remedy: 'Such as --allow-host example.com, --allow-host example.com:8443 or --allow-host "*.example.com".',
  })
}

/** Nothing holds the agents: that is never left unsaid. */
export function printSandboxWarning({ sandbox }: SessionManifest): void {
  if (sandbox.kind !== null) return
  print(paint('yellow', `  no sandbox (${sandbox.reason}): agents and checks run with your rights`))
}
