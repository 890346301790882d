import { z } from 'zod'
import { Project } from '#host/project'
import type { SessionPaths } from './paths.ts'

const modelsSchema = z.object({ orchestrator: z.string(), code: z.string(), rw: z.string(), judge: z.string() })

/** What was decided at the door and never changes: the runner and any successor of it go by this. */
export const SessionManifest = z.object({
  format: z.literal(1),
  id: z.string(),
  openedAt: z.string(),
  task: z.object({ bytes: z.number(), sha256: z.string(), title: z.string() }),
  /** The user's repository, the commit the work starts from, and how many uncommitted files are left out. */
  repository: z.object({ path: z.string(), commit: z.string(), uncommittedFiles: z.number() }).nullable(),
  models: modelsSchema,
  maxRounds: z.number(),
  allowsJudgedOnly: z.boolean(),
  /** A human approves the contract before it is sealed. */
  requiresApproval: z.boolean().default(false),
  /** What the project needs, as the user has confirmed it. */
  project: Project.nullable().default(null),
  /** What the repository says to agents: files handed on as text, files only named, and what is ignored. */
  instructions: z
    .object({ files: z.array(z.string()), nested: z.array(z.string()), ignored: z.array(z.string()) })
    .default({ files: [], nested: [], ignored: [] }),
  /** What holds its agents and checks, decided once; null: nothing does, and `why`. */
  sandbox: z
    .object({ kind: z.enum(['bubblewrap', 'seatbelt']).nullable(), reason: z.string() })
    .default({ kind: null, reason: 'this session began before there was one' }),
  /** Whom its agents may call besides the model, as `name:port`. */
  allowedHosts: z.array(z.string()).default([]),
  /** A key or token in the environment, or the user's own login. */
  loginKind: z.enum(['key', 'own']).default('own'),
  /** By when its user wants a verdict. */
  deadline: z.iso.datetime().nullable().default(null),
  claude: z.object({ program: z.string(), sessionId: z.string(), configDirectory: z.string().nullable() }),
})

export type SessionManifest = z.infer<typeof SessionManifest>

/** Has each agent a claude folder of its own? With a key, and with the user's own login where a sandbox keeps them out of the user's. */
export function hasClaudeFolders({ manifest }: Session): boolean {
  return manifest.loginKind === 'key' || manifest.sandbox.kind === 'bubblewrap'
}

/** Where claude keeps what it writes down of the orchestrator; null: where it does by itself. */
export function findClaudeFolder(session: Session): string | null {
  return hasClaudeFolders(session) ? session.paths.claudeFolder : session.manifest.claude.configDirectory
}

/** A session's folder and what was decided when it was opened. */
export interface Session {
  id: string
  paths: SessionPaths
  manifest: SessionManifest
  /** Only set when a newer dispatch wrote the record: its format. Such a session is shown, and never written. */
  newerFormat?: number
}
