import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Login } from './claude.ts'

/**
 * Who runs inside. `commit` is git on a worker's behalf: it may write the repository and has neither network nor login.
 * `setup` fetches a project's dependencies, `check` proves a clause.
 */
const roles = ['orchestrator', 'code', 'rw', 'commit', 'setup', 'check'] as const
export type Role = (typeof roles)[number]

const place = z.string().regex(/^\/[^\0\n]*$/)

/** One name or address with its port: `api.example.com:443`, `*.example.com:443`, `127.0.0.1:8080`, `[::1]:8080`. */
const host = z.string().regex(/^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/)

/** What one process may do, in a file that no agent can write: `bin/sandboxed.ts` reads it. */
export const Policy = z.strictObject({
  format: z.literal(1),
  role: z.enum(roles),
  /** Where it starts. */
  folder: place,
  /** Its own place for temporary files, at `TMPDIR`. */
  scratch: place,
  /** What it may read besides the system and the tools on PATH. */
  read: z.array(place),
  /** What in there it may not: folders, and files that are never replaced by a rename (that would lift what lies over them). */
  hide: z.array(place),
  write: z.array(place),
  /** What stays as it is though it lies in a place that may be written. */
  keep: z.array(place),
  /** Whom it may call; nobody means that it has no network at all. */
  hosts: z.array(host),
  /** Variables taken from the environment of the door; all others are left outside. Names only: values may be secrets. */
  inherit: z.array(z.string()),
  variables: z.record(z.string(), z.string()),
  /** Folders of the project's own tools: on PATH inside, and never on that of the door, for an agent may write there. */
  tools: z.array(place).default([]),
  /** A file that will say how it ended: {@link Outcome}. */
  outcome: place.optional(),
})
export type Policy = z.infer<typeof Policy>

/** How it ended, beyond doubt: an exit code alone could be the sandbox's own. */
export const Outcome = z.object({
  began: z.boolean(),
  code: z.number().nullable(),
  signal: z.string().nullable(),
  /** From the moment it began. */
  milliseconds: z.int(),
  why: z.string(),
})
export type Outcome = z.infer<typeof Outcome>

/** What a role needs of a session. */
interface Needs {
  folder: string
  scratch: string
  /** The deliverable: a repository. */
  outputs?: string
  /** rw: the globs of its brief. */
  files?: string[]
  read?: string[]
  hide?: string[]
  write?: string[]
  hosts?: string[]
  login?: Login
  /** Programs that it starts by their path, such as claude. */
  programs?: string[]
  inherit?: string[]
  variables?: Record<string, string>
  tools?: string[]
  outcome?: string
}

/** What a role may do with these needs. Pure. */
export function policyOf(role: Role, needs: Needs): Policy {
  const { outputs, login } = needs
  const git = outputs === undefined ? '' : path.join(outputs, '.git')
  const own = login === undefined ? { read: [], write: [] } : placesOf(login, needs.folder)
  const writes: Record<Role, string[]> = {
    orchestrator: [],
    code: outputs === undefined ? [] : [outputs],
    rw: outputs === undefined ? [] : rootsOf(outputs, needs.files ?? []),
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
    scratch: needs.scratch,
    read: [
      ...(outputs === undefined ? [] : [outputs]),
      ...(needs.read ?? []),
      ...own.read,
      ...(needs.programs ?? []).map(homeOf),
    ],
    hide: needs.hide ?? [],
    write: [...writes[role], ...(needs.write ?? []), ...own.write],
    keep: outputs === undefined ? [] : keeps,
    hosts: role === 'check' || role === 'commit' ? [] : (needs.hosts ?? []),
    inherit: [...plain, ...(needs.inherit ?? [])],
    variables: needs.variables ?? {},
    tools: needs.tools ?? [],
    ...(needs.outcome === undefined ? {} : { outcome: needs.outcome }),
  }
}

/** The folders in front of the first wildcard of each glob; what may be written below them the guard and the commit narrow down. Pure. */
export function rootsOf(outputs: string, globs: string[]): string[] {
  const roots = globs.map(glob => {
    const steps = glob.replace(/\/+$/, '').split('/')
    const wild = steps.findIndex(step => /[*?[\]{}!]/.test(step))
    const fixed = wild < 0 ? steps.slice(0, -1) : steps.slice(0, wild)
    return fixed.some(step => step === '..') ? outputs : path.join(outputs, ...fixed)
  })
  return [...new Set(roots)].filter(root => !roots.some(other => other !== root && isUnder(root, other)))
}

/** Whom an agent must reach to think, by the environment in which it runs. */
export function modelHosts(environment: NodeJS.ProcessEnv = process.env): string[] {
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
export function readHost(text: string): string | undefined {
  const named = /:\d{1,5}$/.test(text) && !/^[0-9a-f:]+$/i.test(text) ? text : `${text}:443`
  return host.safeParse(named).success && Number(named.replace(/^.*:/, '')) < 65_536 ? named : undefined
}

/**
 * Where claude keeps what it must write when it starts in this folder, and what of it is only read. A private folder is all its
 * own; of the user's, only what belongs to this place. Pure but for a look.
 */
export function placesOf(
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
const plain = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TERM', 'COLORTERM', 'TZ']

/** What must be readable for a program to run: its package where it stems from npm, else the folder it lies in. */
function homeOf(program: string): string {
  const fromNpm = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(program)?.[0]
  return fromNpm ?? path.dirname(program)
}
