import path from 'node:path'
import {
  checkEnvironment,
  Outcome,
  ownProgram,
  policyOf,
  type Ran,
  readJson,
  run,
  variables,
  writeAtomic,
} from '../host/index.ts'

/** A command of ours for which the sandbox of its role is opened. */
export interface Errand {
  role: 'check' | 'setup'
  command: string[]
  /** Where it starts and may write; beside this folder its policy is laid. */
  folder: string
  home: string
  environment: Record<string, string>
  read: string[]
  hosts: string[]
  /** Seconds, from when it begins. */
  limit: number
  /** Bytes of its output that are kept. */
  keep?: number
}

/** Run it inside. What the door itself says is no outcome of the command: then it is `unstartable`. */
export async function runInside({
  role,
  command,
  folder,
  home,
  environment,
  read,
  hosts,
  limit,
  keep,
}: Errand): Promise<Ran> {
  const beside = path.dirname(folder)
  const [policy, outcome] = ['policy.json', 'outcome.json'].map(name => path.join(beside, name)) as [string, string]
  const [ours, its] = byOwner(environment)
  const needs = { folder, scratch: home, write: [folder], read, hosts, variables: its, outcome }
  writeAtomic(policy, JSON.stringify(policyOf(role, needs)))
  const [node, door] = ownProgram('bin/sandboxed')
  const words = [door, policy, '--', ...command]
  const env = { ...checkEnvironment(home), ...ours, ...variables(['NODE_COMPILE_CACHE']) }
  const deadline = (limit + opening) * 1000
  const ran = await run(node, words, {
    cwd: beside,
    env,
    deadline,
    ...(keep === undefined ? {} : { keep }),
  })
  const ended = Outcome.safeParse(readJson(outcome)).data
  if (ended?.began)
    return {
      ...ran,
      code: ended.code ?? undefined,
      signal: ended.signal ?? undefined,
      milliseconds: ended.milliseconds,
    }
  if (ran.timedOut) return ran
  return { ...ran, code: undefined, unstartable: ended?.why || lastLine(ran.stderr) || 'the sandbox did not open' }
}

/** Seconds that a sandbox may take to open. */
const opening = 5

/** The way through a proxy is the door's; the rest is the command's, and our marks, by which both are found, are of both. */
function byOwner(environment: Record<string, string>): [Record<string, string>, Record<string, string>] {
  const all = Object.entries(environment)
  const ours = all.filter(([name]) => /proxy$|^DISPATCH_/i.test(name))
  return [Object.fromEntries(ours), Object.fromEntries(all.filter(([name]) => !/proxy$/i.test(name)))]
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
