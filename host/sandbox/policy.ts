import path from 'node:path'
import { z } from 'zod'
import { plainVariableNames } from '../config/environment.ts'
import { ModelPolicy } from '../model/policy.ts'
import { hasWildcard, unescapePattern } from '../path-pattern.ts'

const pathSchema = z.string().regex(/^\/[^\0\n]*$/)

/** A host name or address with its port: `api.example.com:443`, `*.example.com:443`, `127.0.0.1:8080`, `[::1]:8080`. */
const hostSchema = z
  .string()
  .regex(/^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/)

/** What one sandboxed process may do, in a file that no agent can write. `bin/processes/sandbox.ts` reads it. */
export const SandboxPolicy = z.strictObject({
  format: z.literal(1),
  /**
   * Who runs in it. `commit` is git on behalf of a worker: it may write the repository, without network and login.
   * `setup` installs the dependencies of a project, `check` runs the check of a clause.
   */
  role: z.enum(['orchestrator', 'code', 'rw', 'commit', 'setup', 'check']),
  /** The folder in which the process starts. */
  folder: pathSchema,
  /** Its folder for temporary files, as TMPDIR. */
  tempFolder: pathSchema,
  /** Readable paths, besides the system and the tools on PATH. */
  readablePaths: z.array(pathSchema),
  /** What is not readable below them. A file here must never be replaced by a rename, which would unhide it. */
  hiddenPaths: z.array(pathSchema),
  writablePaths: z.array(pathSchema),
  /** Paths below a writable one that stay read-only. */
  protectedPaths: z.array(pathSchema),
  /** The hosts it may reach; empty means no network. */
  allowedHosts: z.array(hostSchema),
  /** Variables that are copied from the environment of the launcher. Names only, because values may be secrets. */
  inheritedVariables: z.array(z.string()),
  variables: z.record(z.string(), z.string()),
  /** For an agent: how its launcher reaches the model for it. Without one, claude reaches the model itself. */
  model: ModelPolicy.optional(),
  /** Folders with the tools of the project. They are on PATH inside only, because an agent may write there. */
  toolFolders: z.array(pathSchema).default([]),
  /** The file for the {@link SandboxResult}. */
  resultFile: pathSchema.optional(),
})
export type SandboxPolicy = z.infer<typeof SandboxPolicy>
export type SandboxRole = SandboxPolicy['role']

/** How the command in a sandbox ended. An exit code alone could be that of the sandbox itself. */
export const SandboxResult = z.object({
  /** Did the command start? */
  hasStarted: z.boolean(),
  exitCode: z.number().nullable(),
  signal: z.string().nullable(),
  /** Since the command started. */
  milliseconds: z.int(),
  /** Why the command did not start; empty when it did. */
  reason: z.string(),
  /** The hosts that the proxy did not let it reach, as `name:port`; missing if it knows of no such host. */
  refusedHosts: z.array(z.string()).optional(),
})
export type SandboxResult = z.infer<typeof SandboxResult>

/** What the policy of a role is made from; the fields of the policy itself are added to those of the role. */
interface PolicyInput extends Partial<Omit<SandboxPolicy, 'format' | 'role' | 'protectedPaths'>> {
  folder: string
  tempFolder: string
  /** The repository of the deliverable. */
  outputs?: string
  /** For rw: the globs of its write allowlist. */
  files?: string[]
  /** The folder of claude that belongs to this agent alone. */
  claudeFolder?: string
  /** Programs that it starts by path, such as claude. */
  programs?: string[]
}

/** The policy of a role. Pure. */
export function buildPolicy(
  role: SandboxRole,
  { outputs, files = [], claudeFolder, programs = [], ...fields }: PolicyInput,
): SandboxPolicy {
  const outputPaths =
    outputs === undefined ? { read: [], write: [], protect: [] } : listOutputPaths(role, outputs, files)
  return {
    hiddenPaths: [],
    variables: {},
    toolFolders: [],
    ...fields,
    format: 1,
    role,
    readablePaths: [...outputPaths.read, ...(fields.readablePaths ?? []), ...programs.map(findProgramFolder)],
    writablePaths: [
      ...outputPaths.write,
      ...(fields.writablePaths ?? []),
      ...(claudeFolder === undefined ? [] : [claudeFolder]),
    ],
    protectedPaths: outputPaths.protect,
    allowedHosts: role === 'check' || role === 'commit' ? [] : (fields.allowedHosts ?? []),
    inheritedVariables: [...plainVariableNames, 'COLORTERM', ...(fields.inheritedVariables ?? [])],
  }
}

/**
 * The folder before the first wildcard of each glob; below it, guard and commit enforce the globs. A bracket is a class
 * here unless a backslash makes it literal. Pure.
 */
export function listWritableRoots(outputs: string, globs: string[]): string[] {
  const roots = globs.map(glob => {
    const steps = glob.replace(/\/+$/, '').split('/')
    const wildcard = steps.findIndex(hasWildcard)
    const fixed = (wildcard < 0 ? steps.slice(0, -1) : steps.slice(0, wildcard)).map(unescapePattern)
    return fixed.some(step => step === '..') ? outputs : path.join(outputs, ...fixed)
  })
  return [...new Set(roots)].filter(root => !roots.some(other => other !== root && isUnder(root, other)))
}

/** A host as a person writes it for `--allow-host`, with port 443 by default; undefined for invalid text. Pure. */
export function parseHost(text: string): string | undefined {
  const host = /:\d{1,5}$/.test(text) && !/^[0-9a-f:]+$/i.test(text) ? text : `${text}:443`
  return hostSchema.safeParse(host).success && Number(host.replace(/^.*:/, '')) <= MAX_PORT ? host : undefined
}

/** Is the path `inner` the path `outer`, or below it? Pure. */
export function isUnder(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner)
  return relative === '' || (relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative))
}

// --- internal ---

const MAX_PORT = 65_535

/** The rights of a role in the repository. What git would run is protected: the configuration and the hooks. */
function listOutputPaths(role: SandboxRole, outputs: string, globs: string[]) {
  const gitFolder = path.join(outputs, '.git')
  const read = [outputs]
  if (role === 'rw') return { read, write: listWritableRoots(outputs, globs), protect: [gitFolder] }
  if (role !== 'code' && role !== 'commit') return { read, write: [], protect: [] }
  return { read, write: [outputs], protect: ['config', 'hooks'].map(name => path.join(gitFolder, name)) }
}

/** What must be readable for a program to run: its npm package, or else the folder it is in. */
function findProgramFolder(program: string): string {
  const npmPackage = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(program)?.[0]
  return npmPackage ?? path.dirname(program)
}
