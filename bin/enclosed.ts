import { type Config, DispatchError, exits, readHost, sandboxHere } from '../host/index.ts'
import type { Opening } from '../session/index.ts'
import { paint, print } from './terminal.ts'

/**
 * What is to hold the agents and checks of a new session, decided once: by `--sandbox`, else by SANDBOX. Exit 11 where one is
 * required and this machine has none that works.
 */
export async function sandboxFor(config: Config, named: string | undefined): Promise<Opening['sandbox']> {
  const wanted = named ?? config.SANDBOX
  if (wanted === 'off')
    return { kind: null, why: named === undefined ? 'SANDBOX=off' : 'it was started with --sandbox off' }
  if (wanted !== 'auto' && wanted !== 'required')
    throw new DispatchError(`--sandbox takes auto, required or off, and not "${wanted}"`, { exit: exits.usage })
  const here = await sandboxHere()
  if ('kind' in here) return { kind: here.kind, why: '' }
  if (wanted === 'auto') return { kind: null, why: here.missing }
  throw new DispatchError(`a sandbox is required, and there is none: ${here.missing}`, {
    exit: exits.sandbox,
    remedy: here.remedy,
  })
}

/** A host that agents may call, from the command line: `example.com`, or with a port. Exit 2 for what is none. */
export function hostIn(text: string): string {
  const host = readHost(text)
  if (host !== undefined) return host
  throw new DispatchError(`--allow-host takes the name of a host, and "${text}" is none`, {
    exit: exits.usage,
    remedy: 'Such as --allow-host example.com, --allow-host example.com:8443 or --allow-host "*.example.com".',
  })
}

/** Nothing holds the agents: that is never left unsaid. */
export function saySandbox({ sandbox }: Opening): void {
  if (sandbox.kind !== null) return
  print(paint('yellow', `  no sandbox (${sandbox.why}): agents and checks run with your rights`))
}
