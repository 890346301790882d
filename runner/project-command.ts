import path from 'node:path'
import { buildCheckEnvironment, buildProgramCommand, pickVariables } from '#host/config'
import { type RunResult, runProgram } from '#host/exec.ts'
import { readJson, writeAtomic } from '#host/fs'
import { buildPolicy, SandboxResult } from '#host/sandbox'
import { SECOND_MS } from '#host/time.ts'
import type { SessionManifest } from '#session'

/** A command of the project, for `sh`, and what its sandbox lets it do. */
interface ProjectCommand {
  role: 'check' | 'setup'
  command: string
  /** Where it starts and may write. The policy is written next to this folder. */
  folder: string
  home: string
  environment: Record<string, string>
  readablePaths: string[]
  hosts: string[]
  /** Counted from the start of the command. */
  timeoutSeconds: number
  /** How much of its output is kept. */
  maxOutputBytes: number
}

/** The time that a sandbox may take to open. */
const SANDBOX_START_SECONDS = 5

/** Run a command without a sandbox, or in one. If that fails to open, the result has a `startError` and no exit code. */
export function runProjectCommand(
  sandbox: SessionManifest['sandbox']['kind'],
  command: ProjectCommand,
): Promise<RunResult> {
  if (sandbox !== null) return runInSandbox(command)
  const { folder: cwd, environment: env, timeoutSeconds, maxOutputBytes } = command
  return runProgram('/bin/sh', ['-c', command.command], {
    cwd,
    env,
    timeoutMs: timeoutSeconds * SECOND_MS,
    maxOutputBytes,
  })
}

async function runInSandbox(request: ProjectCommand): Promise<RunResult> {
  const { folder, home, timeoutSeconds, maxOutputBytes } = request
  const parent = path.dirname(folder)
  const policyFile = path.join(parent, 'policy.json')
  const resultFile = path.join(parent, 'result.json')
  // Proxy variables go to the launcher, `DISPATCH_*` marks (by which both are found) to both, the rest to the command.
  const variables = Object.entries(request.environment)
  const launcherVariables = variables.filter(([name]) => /proxy$|^DISPATCH_/i.test(name))
  const policy = buildPolicy(request.role, {
    folder,
    tempFolder: home,
    writablePaths: [folder],
    readablePaths: request.readablePaths,
    allowedHosts: request.hosts,
    variables: Object.fromEntries(variables.filter(([name]) => !/proxy$/i.test(name))),
    resultFile,
  })
  writeAtomic(policyFile, JSON.stringify(policy))
  const [node, launcher] = buildProgramCommand('bin/processes/sandbox')
  const run = await runProgram(node, [launcher, policyFile, '--', '/bin/sh', '-c', request.command], {
    cwd: parent,
    env: {
      ...buildCheckEnvironment(home),
      ...Object.fromEntries(launcherVariables),
      ...pickVariables(['NODE_COMPILE_CACHE']),
    },
    timeoutMs: (timeoutSeconds + SANDBOX_START_SECONDS) * SECOND_MS,
    maxOutputBytes,
  })
  const result = SandboxResult.safeParse(readJson(resultFile)).data
  if (result?.hasStarted) {
    const { exitCode, signal, milliseconds } = result
    return { ...run, exitCode: exitCode ?? undefined, signal: signal ?? undefined, milliseconds }
  }
  if (run.timedOut) return run
  const lastLine = run.stderr.trim().split('\n').at(-1)
  return { ...run, exitCode: undefined, startError: result?.reason || lastLine || 'the sandbox did not open' }
}
