import path from 'node:path'
import { buildCheckEnvironment, buildProgramCommand, pickVariables } from '#host/config'
import { type RunResult, runProgram } from '#host/exec.ts'
import { readJson, writeAtomic } from '#host/fs'
import { buildPolicy, SandboxResult } from '#host/sandbox'

/** A command, and what the sandbox of its role lets it do. */
export interface SandboxedCommand {
  role: 'check' | 'setup'
  command: string[]
  /** Where it starts and may write. The policy is written next to this folder. */
  folder: string
  home: string
  environment: Record<string, string>
  readablePaths: string[]
  hosts: string[]
  /** Counted from the start of the command. */
  timeoutSeconds: number
  /** How much of its output is kept. */
  maxOutputBytes?: number
}

/** The time that a sandbox may take to open. */
const SANDBOX_START_SECONDS = 5

/** Run a command in a sandbox. If the sandbox fails to open, the result has a `startError` and no exit code. */
export async function runSandboxedCommand({
  role,
  command,
  folder,
  home,
  environment,
  readablePaths,
  hosts,
  timeoutSeconds,
  maxOutputBytes,
}: SandboxedCommand): Promise<RunResult> {
  const parent = path.dirname(folder)
  const policyFile = path.join(parent, 'policy.json')
  const resultFile = path.join(parent, 'result.json')
  const { launcherVariables, commandVariables } = splitEnvironment(environment)
  const policy = buildPolicy(role, {
    folder,
    tempFolder: home,
    writablePaths: [folder],
    readablePaths,
    allowedHosts: hosts,
    variables: commandVariables,
    resultFile,
  })
  writeAtomic(policyFile, JSON.stringify(policy))
  const [node, launcher] = buildProgramCommand('bin/processes/sandbox')
  const run = await runProgram(node, [launcher, policyFile, '--', ...command], {
    cwd: parent,
    env: { ...buildCheckEnvironment(home), ...launcherVariables, ...pickVariables(['NODE_COMPILE_CACHE']) },
    timeoutMs: (timeoutSeconds + SANDBOX_START_SECONDS) * 1000,
    ...(maxOutputBytes === undefined ? {} : { maxOutputBytes }),
  })
  const result = SandboxResult.safeParse(readJson(resultFile)).data
  if (result?.hasStarted)
    return {
      ...run,
      exitCode: result.exitCode ?? undefined,
      signal: result.signal ?? undefined,
      milliseconds: result.milliseconds,
    }
  if (run.timedOut) return run
  const startError = result?.reason || getLastLine(run.stderr) || 'the sandbox did not open'
  return { ...run, exitCode: undefined, startError }
}

/** Proxy variables go to the launcher, `DISPATCH_*` marks (by which both are found) to both, the rest to the command. */
function splitEnvironment(environment: Record<string, string>) {
  const variables = Object.entries(environment)
  return {
    launcherVariables: Object.fromEntries(variables.filter(([name]) => /proxy$|^DISPATCH_/i.test(name))),
    commandVariables: Object.fromEntries(variables.filter(([name]) => !/proxy$/i.test(name))),
  }
}

function getLastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
