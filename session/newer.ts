import { z } from 'zod'
import { DispatchError, exits } from '../host/index.ts'
import type { Opening, Session } from './session.ts'

/** The format that this dispatch writes; a higher one is only ever shown. */
const known = 1

const Newer = z.looseObject({ format: z.number().int().gt(known), id: z.string() })

/** What can be told of a session whose record a newer dispatch wrote: the words this one knows, the rest left open. */
export function readNewer(
  record: unknown,
  shape: typeof Opening.shape,
): { opening: Opening; format: number } | undefined {
  const newer = Newer.safeParse(record)
  if (!newer.success) return undefined
  const told = Object.entries(shape).map(([name, part]) => {
    const read = part.safeParse(newer.data[name])
    return [name, read.success ? read.data : unknown[name as keyof typeof unknown]]
  })
  return { opening: Object.fromEntries(told), format: newer.data.format }
}

/** Refuse (exit 6) to change a session that a newer dispatch wrote: it knows things of it that this one would break. */
export function refuseNewer({ id, format }: Session): void {
  if (format === undefined) return
  throw new DispatchError(
    `session ${id} was written by a newer dispatch (format ${format}; this one writes ${known})`,
    {
      exit: exits.dependency,
      remedy: 'Use that newer dispatch, or update this one. Here the session can only be looked at.',
    },
  )
}

const unknown = {
  format: known,
  id: '',
  openedAt: new Date(0).toISOString(),
  task: { bytes: 0, sha256: '', title: '' },
  repository: null,
  models: { orchestrator: '?', code: '?', rw: '?', judge: '?' },
  rounds: 0,
  judgedOnly: false,
  approve: false,
  project: null,
  instructions: { files: [], deeper: [], ignored: [] },
  deadline: null,
  sandbox: { kind: null, why: '' },
  hosts: [],
  login: 'own' as const,
  claude: { program: '', session: '', configDirectory: null },
}
