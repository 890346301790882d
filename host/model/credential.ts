import os from 'node:os'
import { runProgram } from '../exec.ts'
import { toOneLine } from '../text.ts'
import { MINUTE_MS, SECOND_MS } from '../time.ts'

/** The headers that log a request in, such as `{ authorization: 'Bearer …' }`. */
export type CredentialHeaders = { authorization?: string; 'x-api-key'?: string }

/** What an agent's requests are logged in with. It stays outside of the sandbox. */
export interface Credential {
  read(): Promise<CredentialHeaders>
  /** Called when the model refused these headers. True if `read` now gives others. */
  renew(refused: CredentialHeaders): Promise<boolean>
}

/** A key or token that never changes. */
export function createFixedCredential(headers: CredentialHeaders): Credential {
  return { read: async () => headers, renew: async () => false }
}

/** A key that the user's program prints (`apiKeyHelper`). It is asked again after five minutes, and when a key is refused. */
export function createProgramCredential(command: string, environment: Record<string, string>): Credential {
  let key: { value: string; readAtMs: number } | undefined
  const ask = async () => {
    const options = { cwd: os.homedir(), env: environment, timeoutMs: PROGRAM_TIMEOUT_MS }
    const run = await runProgram('/bin/sh', ['-c', command], options)
    const value = run.stdout.trim()
    if (run.exitCode !== 0 || value === '')
      throw new Error(`apiKeyHelper printed no key (exit ${run.exitCode ?? run.signal}) ${toOneLine(run.stderr, 120)}`)
    key = { value, readAtMs: Date.now() }
    return value
  }
  const toHeaders = (value: string) => ({ 'x-api-key': value, authorization: `Bearer ${value}` })
  return {
    read: async () => toHeaders(key && Date.now() - key.readAtMs < PROGRAM_INTERVAL_MS ? key.value : await ask()),
    renew: async refused => (await ask()) !== refused['x-api-key'],
  }
}

// --- internal ---

const PROGRAM_TIMEOUT_MS = 30 * SECOND_MS
const PROGRAM_INTERVAL_MS = 5 * MINUTE_MS
