import path from 'node:path'
import { buildCheckEnvironment, buildProgramCommand, pickVariables } from '#host/config'
import { type RunResult, runProgram } from '#host/exec.ts'
import { readJson, writeAtomic } from '#host/fs'
import { buildPolicy, SandboxResult } from '#host/sandbox'

/** A command of ours for which the sandbox of its role is opened. */
export interface SandboxedCommand {
  role: 'check' | 'setup'
  command: string[]
  /** Where it starts and may write; beside this folder its policy is laid. */
  folder: string
  home: string
  environment: Record<string, string>
  readablePaths: string[]
  hosts: string[]
  /** Seconds, from when it begins. */
  timeoutSeconds: number
  /** Bytes of its output that are kept. */
  maxOutputBytes?: number
}

/** Run it inside. What the door itself says is no outcome of the command: then it is `unstartable`. */
export async function runSandboxedCommand({
  role,
  command,
  folder,
  home,
  environment,
  readablePaths,
  hosts: allowedHosts,
  timeoutSeconds,
  maxOutputBytes,
}: SandboxedCommand): Promise<RunResult> {
  const beside = path.dirname(folder)
  const [policy, resultFile] = ['policy.json', 'outcome.json'].map(name => path.join(beside, name)) as [string, string]
  const [ours, its] = splitEnvironment(environment)
  const needs = {
    folder,
    tempFolder: home,
    writablePaths: [folder],
    readablePaths: readablePaths,
    allowedHosts: allowedHosts,
    variables: its,
    resultFile: resultFile,
  }
  writeAtomic(policy, JSON.stringify(buildPolicy(role, needs)))
  const [node, door] = buildProgramCommand('bin/processes/sandbox')
  const words = [door, policy, '--', ...command]
  const env = { ...buildCheckEnvironment(home), ...ours, ...pickVariables(['NODE_COMPILE_CACHE']) }
  const timeoutMs = (timeoutSeconds + SANDBOX_START_SECONDS) * 1000
  const ran = await runProgram(node, words, {
    cwd: beside,
    env,
    timeoutMs,
    ...(maxOutputBytes === undefined ? {} : { maxOutputChars: maxOutputBytes }),
  })
  const ended = SandboxResult.safeParse(readJson(resultFile)).data
  if (ended?.hasStarted)
    return {
      ...ran,
      exitCode: ended.exitCode ?? undefined,
      signal: ended.signal ?? undefined,
      milliseconds: ended.milliseconds,
    }
  if (ran.timedOut) return ran
  return {
    ...ran,
    exitCode: undefined,
    startError: ended?.reason || getLastLine(ran.stderr) || 'the sandbox did not open',
  }
}

/** Seconds that a sandbox may take to open. */
const SANDBOX_START_SECONDS = 5

/** The way through a proxy is the door's; the rest is the command's, and our marks, by which both are found, are of both. */
function splitEnvironment(environment: Record<string, string>): [Record<string, string>, Record<string, string>] {
  const all = Object.entries(environment)
  const ours = all.filter(([name]) => /proxy$|^DISPATCH_/i.test(name))
  return [Object.fromEntries(ours), Object.fromEntries(all.filter(([name]) => !/proxy$/i.test(name)))]
}

function getLastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
