import { z } from 'zod'
import { DispatchError, exitCodes } from '#host/error.ts'
import type { Session, SessionManifest } from './manifest.ts'

/** The format that this dispatch writes. A session with a higher format can only be shown. */
const FORMAT_VERSION = 1

const NewerManifest = z.looseObject({ format: z.number().int().gt(FORMAT_VERSION), id: z.string() })

/** Read what this dispatch understands of a manifest that a newer one wrote; each other field gets its default. */
export function readNewerManifest(
  record: unknown,
  shape: typeof SessionManifest.shape,
): { manifest: SessionManifest; newerFormat: number } | undefined {
  const newer = NewerManifest.safeParse(record)
  if (!newer.success) return undefined
  const fields = Object.entries(shape).map(([name, schema]) => {
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

const manifestDefaults: SessionManifest = {
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
  loginKind: 'own',
  claude: { program: '', sessionId: '', configDirectory: null },
}
