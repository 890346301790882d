import { z } from 'zod'
import { DispatchError, exitCodes } from '#host/error.ts'
import { Project } from '#host/project'
import { noToolchains, Toolchains } from '#host/toolchains'
import { modelsSchema, sandboxSchema } from './log/event.ts'
import type { SessionPaths } from './paths.ts'

/** The session manifest, `session.json`: decided when the session is opened, and never changed. */
export const SessionManifest = z.object({
  format: z.literal(1),
  id: z.string(),
  openedAt: z.string(),
  task: z.object({ bytes: z.number(), sha256: z.string(), title: z.string() }),
  /** The user's repository, the commit that the work starts from, and what else was there then. */
  repository: z
    .object({
      path: z.string(),
      commit: z.string(),
      /** The branch that the work is for, if nothing else is said; null for a commit without one, missing in older sessions. */
      branch: z.string().nullable().optional(),
      /** How many were left out. */
      uncommittedFiles: z.number(),
      /** Where in it the person was; missing at its top. */
      subfolder: z.string().optional(),
    })
    .nullable(),
  models: modelsSchema,
  maxRounds: z.number(),
  allowsJudgedOnly: z.boolean(),
  /** A human approves the contract before it is sealed. */
  requiresApproval: z.boolean().default(false),
  /** The project's settings, as the user confirmed them. */
  project: Project.nullable().default(null),
  /** The compilers and interpreters of the shell in which the session began. */
  toolchains: Toolchains.default(noToolchains),
  /** The repository's instructions for agents: files passed on as text, files that are only named, and ignored ones. */
  instructions: z
    .object({ files: z.array(z.string()), nested: z.array(z.string()), ignored: z.array(z.string()) })
    .default({ files: [], nested: [], ignored: [] }),
  sandbox: sandboxSchema.default({ kind: null, reason: 'this session is older than the sandbox' }),
  /** Hosts that its agents may reach besides the model, as `name:port`. */
  allowedHosts: z.array(z.string()).default([]),
  /** `key`: a key or token in the environment. `own`: the user's own login. */
  loginKind: z.enum(['key', 'own']).default('own'),
  /** When the user wants the verdict. */
  deadline: z.iso.datetime().nullable().default(null),
  /** The item of the queue that it was started for, and which attempt it is. */
  queueItem: z.object({ item: z.string(), attempt: z.number() }).nullable().default(null),
  /** The session that failed at the same task, what came of it, and what its person adds. */
  retryOf: z
    .object({ session: z.string(), outcome: z.string(), findings: z.array(z.string()), context: z.string() })
    .nullable()
    .default(null),
  /** A person started it with --force although dispatch was paused. */
  startedDespitePause: z.boolean().default(false),
  claude: z.object({ program: z.string(), sessionId: z.string(), configDirectory: z.string().nullable() }),
})

export type SessionManifest = z.infer<typeof SessionManifest>

/** Does each agent have its own claude folder? With a key it does, and where a sandbox hides the user's folder. */
export function hasClaudeFolders({ manifest }: { manifest: Pick<SessionManifest, 'loginKind' | 'sandbox'> }): boolean {
  return manifest.loginKind === 'key' || manifest.sandbox.kind !== null
}

/** The folder in which claude keeps the orchestrator's transcript; null for claude's default. */
export function findClaudeFolder(session: Session): string | null {
  return hasClaudeFolders(session) ? session.paths.claudeFolder : session.manifest.claude.configDirectory
}

/** A session's folder and its manifest. */
export interface Session {
  id: string
  paths: SessionPaths
  manifest: SessionManifest
  /** The format of a manifest that a newer dispatch wrote. Such a session is shown, and never written. */
  newerFormat?: number
}

/** The format that this dispatch writes. A session with a higher format can only be shown. */
const FORMAT_VERSION = 1

const NewerManifest = z.looseObject({ format: z.number().int().gt(FORMAT_VERSION), id: z.string() })

/** Read what this dispatch understands of a manifest that a newer one wrote; each other field gets its default. */
export function readNewerManifest(record: unknown): { manifest: SessionManifest; newerFormat: number } | undefined {
  const newer = NewerManifest.safeParse(record)
  if (!newer.success) return undefined
  const fields = Object.entries(SessionManifest.shape).map(([name, schema]) => {
    const parsed = schema.safeParse(newer.data[name])
    return [name, parsed.success ? parsed.data : manifestDefaults[name as keyof typeof manifestDefaults]]
  })
  return { manifest: Object.fromEntries(fields), newerFormat: newer.data.format }
}

/** Throw exit 6 if a newer dispatch wrote the session: it may hold state that this dispatch would destroy. */
export function refuseNewerFormat({ id, newerFormat }: Session): void {
  if (newerFormat === undefined) return
  throw new DispatchError(
    `session ${id} was written by a newer dispatch (format ${newerFormat}; this one writes ${FORMAT_VERSION})`,
    {
      exitCode: exitCodes.dependency,
      remedy: 'Use that newer dispatch, or update this one. This dispatch can only show the session.',
    },
  )
}

const manifestDefaults = SessionManifest.parse({
  format: FORMAT_VERSION,
  id: '',
  openedAt: new Date(0).toISOString(),
  task: { bytes: 0, sha256: '', title: '' },
  repository: null,
  models: { orchestrator: '?', code: '?', rw: '?', judge: '?' },
  maxRounds: 0,
  allowsJudgedOnly: false,
  sandbox: { kind: null, reason: '' },
  claude: { program: '', sessionId: '', configDirectory: null },
})
