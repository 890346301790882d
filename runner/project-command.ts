import fs from 'node:fs'
import path from 'node:path'
import { buildCheckEnvironment, buildProgramCommand, pickVariables } from '#host/config'
import { type RunResult, runProgram } from '#host/exec.ts'
import { readJson, writeAtomic } from '#host/fs'
import { killProcessTree } from '#host/process'
import { buildPolicy, isClosed, runClosed, SandboxResult } from '#host/sandbox'
import type { ServicePlan } from '#host/services'
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
  /** Names of variables of this process that it gets too. They may be secrets, so their values are in no file. */
  inheritedVariables?: string[]
  readablePaths: string[]
  hosts: string[]
  /** What runs beside it. */
  services?: ServicePlan | undefined
  /** Counted from the start of the command; its services have their own limits in addition. */
  timeoutSeconds: number
  /** How much of its output is kept: of a longer one the beginning and the end. */
  maxOutputBytes: number
}

/** How a command ended, and the hosts that the sandbox did not let it reach, as `name:port`. */
export interface ProjectRun extends RunResult {
  refusedHosts: string[]
}

/** The time that a sandbox may take to open. */
const SANDBOX_START_SECONDS = 5

/** Run a command without a sandbox, or in one. If that fails to open, the result has a `startError` and no exit code. */
export async function runProjectCommand(
  sandbox: SessionManifest['sandbox']['kind'],
  command: ProjectCommand,
): Promise<ProjectRun> {
  if (sandbox !== null) return runInSandbox(command)
  const { folder: cwd, environment, inheritedVariables = [], services, maxOutputBytes } = command
  const [program, ...words] = buildCommandLine(command)
  const mark = services && { DISPATCH_SERVICES: services.folder }
  const run = await runProgram(program, words, {
    cwd,
    env: { ...pickVariables(inheritedVariables), ...environment, ...mark },
    timeoutMs: computeTimeoutMs(command),
    maxOutputBytes,
    keepsEnd: true,
  })
  // A service may have left the process group, as daemons do.
  if (mark) await killProcessTree(0, `DISPATCH_SERVICES=${mark.DISPATCH_SERVICES}`)
  return { ...run, refusedHosts: [] }
}

function buildCommandLine({ services, command }: ProjectCommand): [string, ...string[]] {
  const [program = '/bin/sh', ...words] = [...(services?.prefix ?? []), '/bin/sh', '-c', command]
  return [program, ...words]
}

function computeTimeoutMs({ services, timeoutSeconds }: ProjectCommand): number {
  return (timeoutSeconds + (services?.startSeconds ?? 0)) * SECOND_MS
}

async function runInSandbox(request: ProjectCommand): Promise<ProjectRun> {
  const { folder, home, environment, inheritedVariables = [], services, maxOutputBytes } = request
  const parent = path.dirname(folder)
  const policyFile = path.join(parent, 'policy.json')
  const resultFile = path.join(parent, 'result.json')
  const policy = buildPolicy(request.role, {
    folder,
    tempFolder: home,
    writablePaths: [folder],
    readablePaths: [...request.readablePaths, ...(services?.readablePaths ?? [])],
    allowedHosts: request.hosts,
    // The launcher uses the proxies. Inside, the only proxy is that of the sandbox.
    inheritedVariables: inheritedVariables.filter(name => !/(?<!^GO|^GONO)proxy$/i.test(name)),
    variables: environment,
    resultFile,
  })
  const options = {
    env: { ...pickVariables(inheritedVariables), ...buildCheckEnvironment(home) },
    timeoutMs: computeTimeoutMs(request) + SANDBOX_START_SECONDS * SECOND_MS,
    maxOutputBytes,
    keepsEnd: true,
  }
  if (isClosed(policy)) return runBeside(policy, buildCommandLine(request), options)
  writeAtomic(policyFile, JSON.stringify(policy))
  fs.rmSync(resultFile, { force: true })
  const [node, launcher] = buildProgramCommand('bin/processes/sandbox')
  const marks = Object.keys(environment).filter(name => name.startsWith('DISPATCH_'))
  const run = await runProgram(node, [launcher, policyFile, '--', ...buildCommandLine(request)], {
    ...options,
    cwd: parent,
    // By the marks its processes are found.
    env: { ...pickVariables(['NODE_COMPILE_CACHE']), ...options.env, ...pickVariables(marks, environment) },
  })
  const result = SandboxResult.safeParse(readJson(resultFile)).data
  const refusedHosts = result?.refusedHosts ?? []
  if (result?.hasStarted) {
    const { exitCode, signal, milliseconds } = result
    return { ...run, refusedHosts, exitCode: exitCode ?? undefined, signal: signal ?? undefined, milliseconds }
  }
  if (run.timedOut) return { ...run, refusedHosts }
  const lastLine = run.stderr.trim().split('\n').at(-1)
  const startError = result?.reason || lastLine || 'the sandbox did not open'
  return { ...run, refusedHosts, exitCode: undefined, startError }
}

/** Run a command that reaches no host. Its sandbox needs no process beside it, and starts in a third of the time. */
async function runBeside(...request: Parameters<typeof runClosed>): Promise<ProjectRun> {
  try {
    const { hasStarted, ...run } = await runClosed(...request)
    if (hasStarted || run.timedOut) return { ...run, refusedHosts: [] }
    const reason = run.stderr.trim().split('\n').at(-1) || 'the sandbox did not open'
    return { ...run, refusedHosts: [], exitCode: undefined, startError: reason }
  } catch (error) {
    return { ...unstarted, startError: error instanceof Error ? error.message : String(error) }
  }
}

const unstarted = {
  exitCode: undefined,
  signal: undefined,
  timedOut: false,
  stdout: '',
  stderr: '',
  milliseconds: 0,
  refusedHosts: [],
}
