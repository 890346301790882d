import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Login } from '../claude/login.ts'

/**
 * Who runs inside. `commit` is git on a worker's behalf: it may write the repository and has neither network nor login.
 * `setup` fetches a project's dependencies, `check` proves a clause.
 */
const sandboxRoles = ['orchestrator', 'code', 'rw', 'commit', 'setup', 'check'] as const
export type SandboxRole = (typeof sandboxRoles)[number]

const pathSchema = z.string().regex(/^\/[^\0\n]*$/)

/** One name or address with its port: `api.example.com:443`, `*.example.com:443`, `127.0.0.1:8080`, `[::1]:8080`. */
const hostSchema = z
  .string()
  .regex(/^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/)

/** What one process may do, in a file that no agent can write: `bin/processes/sandbox.ts` reads it. */
export const SandboxPolicy = z.strictObject({
  format: z.literal(1),
  role: z.enum(sandboxRoles),
  /** Where it starts. */
  folder: pathSchema,
  /** Its own place for temporary files, at `TMPDIR`. */
  tempFolder: pathSchema,
  /** What it may read besides the system and the tools on PATH. */
  readablePaths: z.array(pathSchema),
  /** What in there it may not: folders, and files that are never replaced by a rename (that would lift what lies over them). */
  hiddenPaths: z.array(pathSchema),
  writablePaths: z.array(pathSchema),
  /** What stays as it is though it lies in a place that may be written. */
  protectedPaths: z.array(pathSchema),
  /** Whom it may call; nobody means that it has no network at all. */
  allowedHosts: z.array(hostSchema),
  /** Variables taken from the environment of the door; all others are left outside. Names only: values may be secrets. */
  inheritedVariables: z.array(z.string()),
  variables: z.record(z.string(), z.string()),
  /** Folders of the project's own tools: on PATH inside, and never on that of the door, for an agent may write there. */
  toolFolders: z.array(pathSchema).default([]),
  /** A file that will say how it ended: {@link SandboxResult}. */
  resultFile: pathSchema.optional(),
})
export type SandboxPolicy = z.infer<typeof SandboxPolicy>

/** How it ended, beyond doubt: an exit code alone could be the sandbox's own. */
export const SandboxResult = z.object({
  hasStarted: z.boolean(),
  exitCode: z.number().nullable(),
  signal: z.string().nullable(),
  /** From the moment it began. */
  milliseconds: z.int(),
  reason: z.string(),
})
export type SandboxResult = z.infer<typeof SandboxResult>

/** What a role needs of a session. */
interface PolicyInput {
  folder: string
  tempFolder: string
  /** The deliverable: a repository. */
  outputs?: string
  /** rw: the globs of its brief. */
  files?: string[]
  readablePaths?: string[]
  hiddenPaths?: string[]
  writablePaths?: string[]
  allowedHosts?: string[]
  login?: Login
  /** Programs that it starts by their path, such as claude. */
  programs?: string[]
  inheritedVariables?: string[]
  variables?: Record<string, string>
  toolFolders?: string[]
  resultFile?: string
}

/** What a role may do with these needs. Pure. */
export function buildPolicy(role: SandboxRole, needs: PolicyInput): SandboxPolicy {
  const { outputs, login } = needs
  const git = outputs === undefined ? '' : path.join(outputs, '.git')
  const own = login === undefined ? { read: [], write: [] } : listClaudePaths(login, needs.folder)
  const writes: Record<SandboxRole, string[]> = {
    orchestrator: [],
    code: outputs === undefined ? [] : [outputs],
    rw: outputs === undefined ? [] : listWritableRoots(outputs, needs.files ?? []),
    commit: outputs === undefined ? [] : [outputs],
    setup: [],
    check: [],
  }
  const keeps =
    role === 'rw'
      ? [git]
      : role === 'code' || role === 'commit'
        ? ['config', 'hooks'].map(name => path.join(git, name))
        : []
  return {
    format: 1,
    role,
    folder: needs.folder,
    tempFolder: needs.tempFolder,
    readablePaths: [
      ...(outputs === undefined ? [] : [outputs]),
      ...(needs.readablePaths ?? []),
      ...own.read,
      ...(needs.programs ?? []).map(findProgramFolder),
    ],
    hiddenPaths: needs.hiddenPaths ?? [],
    writablePaths: [...writes[role], ...(needs.writablePaths ?? []), ...own.write],
    protectedPaths: outputs === undefined ? [] : keeps,
    allowedHosts: role === 'check' || role === 'commit' ? [] : (needs.allowedHosts ?? []),
    inheritedVariables: [...plainVariables, ...(needs.inheritedVariables ?? [])],
    variables: needs.variables ?? {},
    toolFolders: needs.toolFolders ?? [],
    ...(needs.resultFile === undefined ? {} : { resultFile: needs.resultFile }),
  }
}

/** The folders in front of the first wildcard of each glob; what may be written below them the guard and the commit narrow down. Pure. */
export function listWritableRoots(outputs: string, globs: string[]): string[] {
  const roots = globs.map(glob => {
    const steps = glob.replace(/\/+$/, '').split('/')
    const wild = steps.findIndex(step => /[*?[\]{}!]/.test(step))
    const fixed = wild < 0 ? steps.slice(0, -1) : steps.slice(0, wild)
    return fixed.some(step => step === '..') ? outputs : path.join(outputs, ...fixed)
  })
  return [...new Set(roots)].filter(root => !roots.some(other => other !== root && isUnder(root, other)))
}

/** Whom an agent must reach to think, by the environment in which it runs. */
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

/** A host as a person names it for `--allow-host`: without a port it is 443. Undefined when it is none. Pure. */
export function parseHost(text: string): string | undefined {
  const named = /:\d{1,5}$/.test(text) && !/^[0-9a-f:]+$/i.test(text) ? text : `${text}:443`
  return hostSchema.safeParse(named).success && Number(named.replace(/^.*:/, '')) < 65_536 ? named : undefined
}

/**
 * Where claude keeps what it must write when it starts in this folder, and what of it is only read. A private folder is all its
 * own; of the user's, only what belongs to this place. Pure but for a look.
 */
export function listClaudePaths(
  { kind, configDirectory, configFile }: Login,
  start: string,
): { read: string[]; write: string[] } {
  const folder = configDirectory ?? path.join(path.dirname(configFile), '.claude')
  if (kind === 'key') return { read: [], write: [folder] }
  const talk = path.join(folder, 'projects', start.replace(/[^A-Za-z0-9]/g, '-'))
  const written = ['session-env', 'sessions'].map(name => path.join(folder, name)).filter(name => fs.existsSync(name))
  return { read: [folder, configFile], write: [talk, ...written] }
}

/** Is `inner` the place `outer`, or below it? Pure. */
export function isUnder(inner: string, outer: string): boolean {
  const step = path.relative(outer, inner)
  return step === '' || (step !== '..' && !step.startsWith(`..${path.sep}`) && !path.isAbsolute(step))
}

// --- internal ---

/** What every process is given of the environment; nothing of it is a secret. */
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

/** What must be readable for a program to run: its package where it stems from npm, else the folder it lies in. */
function findProgramFolder(program: string): string {
  const fromNpm = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(program)?.[0]
  return fromNpm ?? path.dirname(program)
}
