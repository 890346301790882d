import { z } from 'zod'
import { DispatchError, exitCodes } from '#host/error.ts'
import type { Session, SessionManifest } from './manifest.ts'

/** The format that this dispatch writes; a higher one is only ever shown. */
const FORMAT_VERSION = 1

const NewerManifest = z.looseObject({ format: z.number().int().gt(FORMAT_VERSION), id: z.string() })

/** What can be told of a session whose record a newer dispatch wrote: the words this one knows, the rest left open. */
export function readNewerManifest(
  record: unknown,
  shape: typeof SessionManifest.shape,
): { manifest: SessionManifest; newerFormat: number } | undefined {
  const newer = NewerManifest.safeParse(record)
  if (!newer.success) return undefined
  const told = Object.entries(shape).map(([name, part]) => {
    const read = part.safeParse(newer.data[name])
    return [name, read.success ? read.data : manifestDefaults[name as keyof typeof manifestDefaults]]
  })
  return { manifest: Object.fromEntries(told), newerFormat: newer.data.format }
}

/** Refuse (exit 6) to change a session that a newer dispatch wrote: it knows things of it that this one would break. */
export function refuseNewerFormat({ id, newerFormat }: Session): void {
  if (newerFormat === undefined) return
  throw new DispatchError(
    `session ${id} was written by a newer dispatch (format ${newerFormat}; this one writes ${FORMAT_VERSION})`,
    {
      exitCode: exitCodes.dependency,
      remedy: 'Use that newer dispatch, or update this one. Here the session can only be looked at.',
    },
  )
}

const manifestDefaults = {
  format: FORMAT_VERSION,
  id: '',
  openedAt: new Date(0).toISOString(),
  task: { bytes: 0, sha256: '', title: '' },
  repository: null,
  models: { orchestrator: '?', code: '?', rw: '?', judge: '?' },
  maxRounds: 0,
  allowsJudgedOnly: false,
  requiresApproval: false,
  project: null,
  instructions: { files: [], nested: [], ignored: [] },
  deadline: null,
  sandbox: { kind: null, reason: '' },
  allowedHosts: [],
  loginKind: 'own' as const,
  claude: { program: '', sessionId: '', configDirectory: null },
}
