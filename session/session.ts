import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import {
  DispatchError,
  exits,
  isErrno,
  makePrivate,
  namesIn,
  Project,
  readJson,
  storageError,
  strangerAt,
  writeAtomic,
} from '../host/index.ts'
import { isId } from './id.ts'
import { readNewer } from './newer.ts'
import { type Paths, pathsOf } from './paths.ts'

const models = z.object({ orchestrator: z.string(), code: z.string(), rw: z.string(), judge: z.string() })

/** What was decided at the door and never changes: the runner and any successor of it go by this. */
export const Opening = z.object({
  format: z.literal(1),
  id: z.string(),
  openedAt: z.string(),
  task: z.object({ bytes: z.number(), sha256: z.string(), title: z.string() }),
  /** The user's repository, the commit the work starts from, and how many uncommitted files are left out. */
  repository: z.object({ path: z.string(), commit: z.string(), uncommitted: z.number() }).nullable(),
  models,
  rounds: z.number(),
  judgedOnly: z.boolean(),
  /** A human approves the contract before it is sealed. */
  approve: z.boolean().default(false),
  /** What the project needs, as the user has confirmed it. */
  project: Project.nullable().default(null),
  /** What the repository says to agents: files handed on as text, files only named, and what is ignored. */
  instructions: z
    .object({ files: z.array(z.string()), deeper: z.array(z.string()), ignored: z.array(z.string()) })
    .default({ files: [], deeper: [], ignored: [] }),
  /** What holds its agents and checks, decided once; null: nothing does, and `why`. */
  sandbox: z
    .object({ kind: z.enum(['bubblewrap', 'seatbelt']).nullable(), why: z.string() })
    .default({ kind: null, why: 'this session began before there was one' }),
  /** Whom its agents may call besides the model, as `name:port`. */
  hosts: z.array(z.string()).default([]),
  /** A key or token in the environment, or the user's own login. */
  login: z.enum(['key', 'own']).default('own'),
  /** By when its user wants a verdict. */
  deadline: z.iso.datetime().nullable().default(null),
  claude: z.object({ program: z.string(), session: z.string(), configDirectory: z.string().nullable() }),
})

export type Opening = z.infer<typeof Opening>

/** Has each agent a claude folder of its own? With a key, and with the user's own login where a sandbox keeps them out of the user's. */
export function hasClaudeFolders({ opening }: Session): boolean {
  return opening.login === 'key' || opening.sandbox.kind === 'bubblewrap'
}

/** Where claude keeps what it writes down of the orchestrator; null: where it does by itself. */
export function claudeFolderOf(session: Session): string | null {
  return hasClaudeFolders(session) ? session.paths.claude : session.opening.claude.configDirectory
}

/** A session's folder and what was decided when it was opened. */
export interface Session {
  id: string
  paths: Paths
  opening: Opening
  /** Only set when a newer dispatch wrote the record: its format. Such a session is shown, and never written. */
  format?: number
}

/** Claim the id (mkdir is the claim) and seal the task. Throws exit 5 when the id is taken. */
export function openSession(workspace: string, opening: Opening, task: Uint8Array): Session {
  const paths = pathsOf(path.join(workspace, opening.id))
  makePrivate(workspace)
  try {
    fs.mkdirSync(paths.folder, { mode: 0o700 })
  } catch (error) {
    if (isErrno(error, 'EEXIST'))
      throw new DispatchError(`session ${opening.id} exists already`, { exit: exits.conflict })
    throw storageError(paths.folder, error)
  }
  for (const folder of [
    paths.desk,
    paths.requests,
    paths.spool,
    paths.replies,
    paths.human,
    paths.evidence,
    paths.workers,
    paths.lock,
  ])
    makePrivate(folder)
  writeAtomic(paths.task, task, 0o400)
  writeAtomic(paths.session, JSON.stringify(opening, null, 2))
  return { id: opening.id, paths, opening }
}

/** The session with this id, or with the only id that begins with or ends in these letters. A damaged one is exit 13. */
export function findSession(workspace: string, named: string): Session {
  const ids = sessionIds(workspace)
  const fits = (id: string) => named !== '' && (id.startsWith(named) || id.endsWith(`-${named}`))
  const candidates = ids.includes(named) ? [named] : ids.filter(fits)
  const [id] = candidates
  if (candidates.length > 1)
    throw new DispatchError(`"${named}" could be ${candidates.slice(0, 5).join(', ')}`, {
      exit: exits.usage,
      remedy: 'Say more of the id.',
    })
  const damage = id === undefined ? undefined : damagedAt(workspace, id)
  if (damage !== undefined)
    throw new DispatchError(`session ${id} cannot be read: ${damage}`, {
      exit: exits.integrity,
      remedy: `Somebody has put it there. Look at ${path.join(workspace, id ?? '')} yourself.`,
    })
  const session = id === undefined ? undefined : readSession(workspace, id)
  if (!session)
    throw new DispatchError(`there is no session "${named}" in ${workspace}`, {
      exit: exits.notFound,
      remedy: 'Run `dispatch ls`.',
    })
  return session
}

/** Every session on disk that can be read, newest first. One that is still being opened is not there yet. */
export function listSessions(workspace: string): Session[] {
  return sessionIds(workspace)
    .filter(id => damagedAt(workspace, id) === undefined)
    .flatMap(id => readSession(workspace, id) ?? [])
    .sort((a, b) => (a.opening.openedAt < b.opening.openedAt ? 1 : -1))
}

/** Sessions whose record is no file any more (a folder, a pipe), and what stands there: nobody opens it, nobody waits for it. */
export function damagedSessions(workspace: string): { id: string; why: string }[] {
  return sessionIds(workspace).flatMap(id => {
    const why = damagedAt(workspace, id)
    return why === undefined ? [] : [{ id, why }]
  })
}

function readSession(workspace: string, id: string): Session | undefined {
  const paths = pathsOf(path.join(workspace, id))
  const record = readJson(paths.session)
  const opening = Opening.safeParse(record)
  if (opening.success) return { id, paths, opening: opening.data }
  const newer = readNewer(record, Opening.shape)
  return newer && { id, paths, ...newer }
}

function damagedAt(workspace: string, id: string): string | undefined {
  const { session, events } = pathsOf(path.join(workspace, id))
  for (const file of [session, events]) {
    const stranger = strangerAt(file)
    if (stranger !== undefined) return `${path.basename(file)} is ${stranger}`
  }
  return undefined
}

function sessionIds(workspace: string): string[] {
  return namesIn(workspace).filter(isId)
}
