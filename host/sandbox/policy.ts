import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Login } from '../claude/login.ts'

/**
 * Who runs in the sandbox. `commit` is git on behalf of a worker: it may write the repository, without network and
 * login. `setup` installs the dependencies of a project, `check` runs the check of a clause.
 */
const sandboxRoles = ['orchestrator', 'code', 'rw', 'commit', 'setup', 'check'] as const
export type SandboxRole = (typeof sandboxRoles)[number]

const pathSchema = z.string().regex(/^\/[^\0\n]*$/)

/** A host name or address with its port: `api.example.com:443`, `*.example.com:443`, `127.0.0.1:8080`, `[::1]:8080`. */
const hostSchema = z
  .string()
  .regex(/^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/)

/** What one sandboxed process may do, in a file that no agent can write. `bin/processes/sandbox.ts` reads it. */
export const SandboxPolicy = z.strictObject({
  format: z.literal(1),
  role: z.enum(sandboxRoles),
  /** The folder in which the process starts. */
  folder: pathSchema,
  /** Its folder for temporary files, as TMPDIR. */
  tempFolder: pathSchema,
  /** Readable paths, besides the system and the tools on PATH. */
  readablePaths: z.array(pathSchema),
  /**
   * Folders and files below them that are not readable. A file here must never be replaced by a rename, which would
   * unhide it.
   */
  hiddenPaths: z.array(pathSchema),
  writablePaths: z.array(pathSchema),
  /** Paths below a writable one that stay read-only. */
  protectedPaths: z.array(pathSchema),
  /** The hosts it may reach; empty means no network. */
  allowedHosts: z.array(hostSchema),
  /**
   * Variables that are copied from the environment of the sandbox launcher. Names only, because values may be secrets.
   */
  inheritedVariables: z.array(z.string()),
  variables: z.record(z.string(), z.string()),
  /** Folders with the tools of the project. They are on PATH inside only, because an agent may write there. */
  toolFolders: z.array(pathSchema).default([]),
  /** The file for the {@link SandboxResult}. */
  resultFile: pathSchema.optional(),
})
export type SandboxPolicy = z.infer<typeof SandboxPolicy>

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
})
export type SandboxResult = z.infer<typeof SandboxResult>

/** What the policy of a role is made from. */
interface PolicyInput {
  folder: string
  tempFolder: string
  /** The repository of the deliverable. */
  outputs?: string
  /** For rw: the globs of its write allowlist. */
  files?: string[]
  readablePaths?: string[]
  hiddenPaths?: string[]
  writablePaths?: string[]
  allowedHosts?: string[]
  login?: Login
  /** Programs that it starts by path, such as claude. */
  programs?: string[]
  inheritedVariables?: string[]
  variables?: Record<string, string>
  toolFolders?: string[]
  resultFile?: string
}

/** The policy of a role. Pure but for the folders of claude. */
export function buildPolicy(role: SandboxRole, input: PolicyInput): SandboxPolicy {
  const { outputs, login } = input
  const claudePaths = login === undefined ? { read: [], write: [] } : listClaudePaths(login, input.folder)
  return {
    format: 1,
    role,
    folder: input.folder,
    tempFolder: input.tempFolder,
    readablePaths: [
      ...(outputs === undefined ? [] : [outputs]),
      ...(input.readablePaths ?? []),
      ...claudePaths.read,
      ...(input.programs ?? []).map(findProgramFolder),
    ],
    hiddenPaths: input.hiddenPaths ?? [],
    writablePaths: [
      ...(outputs === undefined ? [] : listWritableOutputs(role, outputs, input.files ?? [])),
      ...(input.writablePaths ?? []),
      ...claudePaths.write,
    ],
    protectedPaths: outputs === undefined ? [] : listProtectedOutputs(role, outputs),
    allowedHosts: role === 'check' || role === 'commit' ? [] : (input.allowedHosts ?? []),
    inheritedVariables: [...plainVariables, ...(input.inheritedVariables ?? [])],
    variables: input.variables ?? {},
    toolFolders: input.toolFolders ?? [],
    ...(input.resultFile === undefined ? {} : { resultFile: input.resultFile }),
  }
}

/**
 * The folder before the first wildcard of each glob. The guard and the commit enforce the globs themselves below it.
 * Pure.
 */
export function listWritableRoots(outputs: string, globs: string[]): string[] {
  const roots = globs.map(glob => {
    const steps = glob.replace(/\/+$/, '').split('/')
    const wildcard = steps.findIndex(step => /[*?[\]{}!]/.test(step))
    const fixed = wildcard < 0 ? steps.slice(0, -1) : steps.slice(0, wildcard)
    return fixed.some(step => step === '..') ? outputs : path.join(outputs, ...fixed)
  })
  return [...new Set(roots)].filter(root => !roots.some(other => other !== root && isUnder(root, other)))
}

/** The hosts of the model API that claude uses with this environment. */
export function listModelHosts(environment: NodeJS.ProcessEnv = process.env): string[] {
  const address = environment['ANTHROPIC_BASE_URL']
  if (address && URL.canParse(address)) {
    const { hostname, port, protocol } = new URL(address)
    return [`${hostname}:${port || (protocol === 'http:' ? 80 : 443)}`]
  }
  const region = environment['AWS_REGION'] || 'us-east-1'
  if (environment['CLAUDE_CODE_USE_BEDROCK'])
    return [
      `bedrock-runtime.${region}.amazonaws.com:443`,
      `bedrock.${region}.amazonaws.com:443`,
      `sts.${region}.amazonaws.com:443`,
    ]
  if (environment['CLAUDE_CODE_USE_VERTEX']) return ['*.googleapis.com:443']
  return ['api.anthropic.com:443', 'platform.claude.com:443', 'console.anthropic.com:443']
}

/** A host as a person writes it for `--allow-host`, with port 443 by default; undefined for invalid text. Pure. */
export function parseHost(text: string): string | undefined {
  const host = /:\d{1,5}$/.test(text) && !/^[0-9a-f:]+$/i.test(text) ? text : `${text}:443`
  return hostSchema.safeParse(host).success && Number(host.replace(/^.*:/, '')) <= MAX_PORT ? host : undefined
}

/**
 * The paths that claude reads and writes when it starts in `startFolder`. A private config folder is writable as a
 * whole; of the user's, only what belongs to this folder. Pure but for a look at which exist.
 */
export function listClaudePaths(
  { kind, configDirectory, configFile }: Login,
  startFolder: string,
): { read: string[]; write: string[] } {
  const folder = configDirectory ?? path.join(path.dirname(configFile), '.claude')
  if (kind === 'key') return { read: [], write: [folder] }
  const transcripts = path.join(folder, 'projects', startFolder.replace(/[^A-Za-z0-9]/g, '-'))
  const existing = ['session-env', 'sessions'].map(name => path.join(folder, name)).filter(name => fs.existsSync(name))
  return { read: [folder, configFile], write: [transcripts, ...existing] }
}

/** Is the path `inner` the path `outer`, or below it? Pure. */
export function isUnder(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner)
  return relative === '' || (relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative))
}

// --- internal ---

const MAX_PORT = 65_535

/** Variables that every process inherits. None is a secret. */
const plainVariables = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TERM',
  'COLORTERM',
  'TZ',
]

function listWritableOutputs(role: SandboxRole, outputs: string, globs: string[]): string[] {
  if (role === 'code' || role === 'commit') return [outputs]
  return role === 'rw' ? listWritableRoots(outputs, globs) : []
}

/** What git would run must not be written: the configuration and the hooks. */
function listProtectedOutputs(role: SandboxRole, outputs: string): string[] {
  const gitFolder = path.join(outputs, '.git')
  if (role === 'rw') return [gitFolder]
  return role === 'code' || role === 'commit' ? ['config', 'hooks'].map(name => path.join(gitFolder, name)) : []
}

/** What must be readable for a program to run: its npm package, or else the folder it is in. */
function findProgramFolder(program: string): string {
  const npmPackage = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(program)?.[0]
  return npmPackage ?? path.dirname(program)
}
