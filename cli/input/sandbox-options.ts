import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { detectSandbox, parseHost } from '#host/sandbox'
import type { SessionManifest } from '#session'
import { UsageError } from '../command.ts'

/** What isolates agents and checks: `option` is `--sandbox`, else SANDBOX counts. Exit 11 if one is required but missing. */
export async function resolveSandbox(config: Config, option: string | undefined): Promise<SessionManifest['sandbox']> {
  const mode = option ?? config.SANDBOX
  if (mode === 'off') return { kind: null, reason: option === undefined ? 'SANDBOX=off' : describeOption('off') }
  if (mode !== 'auto' && mode !== 'required')
    throw new UsageError(`--sandbox takes auto, required or off, not "${mode}"`)
  const detected = await detectSandbox()
  if ('kind' in detected)
    return { kind: detected.kind, reason: option === 'required' ? describeOption('required') : '' }
  if (mode === 'auto') return { kind: null, reason: detected.problem }
  throw new DispatchError(`a sandbox is required, but none works here: ${detected.problem}`, {
    exitCode: exitCodes.sandbox,
    remedy: detected.remedy,
  })
}

/** The `--sandbox` with which a session was started, for another attempt. Undefined where SANDBOX decides, or `auto` did. */
export function findSandboxOption({ reason }: SessionManifest['sandbox']): string | undefined {
  return ['off', 'required'].find(option => reason === describeOption(option))
}

/** A host from the command line: `example.com`, `example.com:8443` or `*.example.com`. Exit 2 for anything else. */
export function parseAllowedHost(text: string): string {
  const host = parseHost(text)
  if (host !== undefined) return host
  throw new UsageError(
    `--allow-host takes the name of a host, not "${text}"`,
    'Examples: --allow-host example.com, --allow-host example.com:8443, --allow-host "*.example.com"',
  )
}

// --- internal ---

const describeOption = (option: string): string => `it was started with --sandbox ${option}`
