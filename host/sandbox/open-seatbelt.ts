import os from 'node:os'
import { buildInnerScript, buildRuntimeConfig } from './command-line.ts'
import { loadRuntime } from './library.ts'
import type { OpenedSandbox, OpenOptions } from './open-bubblewrap.ts'
import type { SandboxPolicy } from './policy.ts'
import { listReadablePaths } from './readable-paths.ts'

/** Make a sandbox of macOS ready for a command, with the manager of sandbox-runtime, which runs the proxy too. */
export async function openSeatbelt(
  policy: SandboxPolicy,
  command: string[],
  { environment, socketFolder, refuse }: OpenOptions,
): Promise<OpenedSandbox> {
  const runtime = await loadRuntime()
  const readable = listReadablePaths(environment['PATH'] ?? '', environment['HOME'] ?? os.homedir())
  const config = buildRuntimeConfig(policy, readable, socketFolder)
  const stopListening = runtime.getSandboxViolationStore().subscribe(violations => {
    for (const host of violations.flatMap(({ line }) => parseRefusedHost(line) ?? [])) refuse?.(host)
  })
  const close = async () => {
    stopListening()
    runtime.cleanupAfterCommand()
    await runtime.reset()
  }
  try {
    await runtime.initialize(config)
    const script = buildInnerScript(policy, command)
    const options = { commandId: policy.role }
    const { argv } = await runtime.wrapWithSandboxArgv(script, '/bin/sh', config, undefined, undefined, options)
    return { commandLine: argv.at(-1) ?? '', serve: () => undefined, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The host and port in what the library records of a refusal; undefined for anything else. Pure. */
export function parseRefusedHost(line: string): string | undefined {
  return /^deny (?:network-outbound |http-request \S+ https?:\/\/)([\w.-]+:\d{1,5}|[\w.-]+(?=[/ ]))/.exec(line)?.[1]
}
