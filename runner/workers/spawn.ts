import { parseArgs } from 'node:util'
import type { WorkerSpec } from '#agents'
import { makePrivateFolder, writeAtomic } from '#host/fs'
import { isWorkerName } from '#session'
import { globsOverlap, isGlob } from '#session/contract'
import type { WorkerStatus } from '#session/status'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'
import { listDraftClauseIds } from '../contract/draft.ts'
import { readSealedContract, sealContract } from '../contract/seal.ts'
import type { AgentRequest } from '../requests.ts'
import { refuseOverBudget } from './budget.ts'

/** What an orchestrator asks for; the rest of a commission is ours to say. */
type WorkerRequest = Omit<WorkerSpec, 'brief' | 'token' | 'acceptedCommit'>

/** At most so many workers at once, whatever is asked. */
const MAX_ACTIVE_WORKERS = 8

/** `spawn-worker`: seal if need be, queue the worker, answer whom it waits for. */
export async function spawnWorker(context: RunnerContext, request: AgentRequest): Promise<CommandReply> {
  const known = context.status.workers.find(worker => worker.requestId === request.id)
  if (known) return formatQueuedReply(known) // A runner that died before it could answer has done it already.
  const asked = parseSpawnRequest(context, request)
  if ('text' in asked) return asked
  const refused = refuseOverBudget(context) ?? refuseUnfitWorker(context, asked) ?? (await sealContract(context)) // A spawn that is refused seals nothing.
  if (refused) return refused
  const { name, kind, model, clauses, files } = asked
  const ahead = kind === 'code' ? listCodeWorkers(context).at(-1) : undefined
  makePrivateFolder(context.session.paths.worker(name).folder)
  writeAtomic(context.session.paths.worker(name).brief, request.input)
  const blockedBy = ahead?.name ?? null
  context.record({ type: 'worker.queued', worker: name, kind, model, clauses, files, blockedBy, requestId: request.id })
  return formatQueuedReply({ name, kind, model, blockedBy })
}

function formatQueuedReply({
  name,
  kind,
  model,
  blockedBy,
}: Pick<WorkerStatus, 'name' | 'kind' | 'model' | 'blockedBy'>): CommandReply {
  const when =
    blockedBy === null
      ? 'starts now'
      : `waits for ${blockedBy}, which holds the write lock or stands before it; it starts by itself`
  return { exit: 0, text: `Worker ${name} (${kind}, ${model}) ${when}.\nNext: more spawn-worker, or wait-workers.` }
}

// --- internal ---

function parseSpawnRequest(context: RunnerContext, { args, input }: AgentRequest): WorkerRequest | CommandReply {
  let parsed: { values: { clauses?: string[]; files?: string[]; name?: string }; positionals: string[] }
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        clauses: { type: 'string', multiple: true },
        files: { type: 'string', multiple: true },
        name: { type: 'string' },
      },
    })
  } catch (error) {
    return refuse(`${error instanceof Error ? error.message : error}\n${SPAWN_USAGE}`)
  }
  const [kind, ...rest] = parsed.positionals
  if ((kind !== 'code' && kind !== 'rw') || rest.length > 0) return refuse(SPAWN_USAGE)
  const list = (values: string[] = []) => values.flatMap(value => value.split(/[\s,]+/)).filter(Boolean)
  const clauses = list(parsed.values.clauses)
  const files = list(parsed.values.files)
  const name = parsed.values.name ?? pickWorkerName(context, kind)
  if (input.toString('utf8').trim() === '')
    return refuse(`The brief is empty. A worker knows only its brief and the contract.\n${SPAWN_USAGE}`)
  if (clauses.length === 0) return refuse(`Say which clauses this worker answers for: --clauses C1,C2\n${SPAWN_USAGE}`)
  if (!isWorkerName(name) || context.status.workers.some(worker => worker.name === name))
    return refuse(`The name "${name}" is taken or not fit: a to z, digits and -, at most 24, and new.`)
  if (kind === 'rw' && files.length === 0)
    return refuse(`An rw worker must name the files it may change: --files README.md --files 'docs/**'\n${SPAWN_USAGE}`)
  const bad = files.find(glob => !isGlob(glob) || glob === '**' || glob === '*')
  if (bad !== undefined)
    return refuse(
      `"${bad}" is not a set of files a worker can be given: name them from the top of the repository, narrower than everything.`,
    )
  return { name, kind, model: context.session.manifest.models[kind], clauses, files }
}

const SPAWN_USAGE = `usage: spawn-worker code|rw --clauses C1,C2 [--files GLOB …] [--name NAME] <<'BRIEF'
…what to do…
BRIEF`

/** What the sealed contract and the other workers have against it. */
function refuseUnfitWorker(
  context: RunnerContext,
  { clauses, files, kind, name }: WorkerRequest,
): CommandReply | undefined {
  const known = context.status.contract
    ? readSealedContract(context).clauses.map(clause => clause.id)
    : listDraftClauseIds(context)
  const foreign = clauses.find(id => !known.includes(id))
  if (known.length > 0 && foreign !== undefined)
    return refuse(`The contract has no clause ${foreign}. It has ${known.join(', ')}.`)
  const others = context.status.workers.filter(worker => worker.endedAt === undefined)
  if (others.length >= MAX_ACTIVE_WORKERS)
    return refuse(`${others.length} workers are at work already; wait-workers first.`)
  const twice = others.find(other => other.kind !== kind && other.clauses.some(id => clauses.includes(id)))
  if (twice)
    return refuse(
      `${twice.name} (${twice.kind}) answers for ${twice.clauses.filter(id => clauses.includes(id)).join(', ')} already; a clause has one kind of worker at a time.`,
    )
  const clash = others.find(other => other.files.some(theirs => files.some(mine => globsOverlap(theirs, mine))))
  if (clash)
    return refuse(
      `${name} may not have ${files.join(', ')}: ${clash.name} holds ${clash.files.join(', ')}. Wait for it, or name other files.`,
    )
  return undefined
}

function listCodeWorkers({ status }: RunnerContext): WorkerStatus[] {
  return status.workers.filter(worker => worker.kind === 'code' && worker.endedAt === undefined)
}

function pickWorkerName({ status }: RunnerContext, kind: string): string {
  for (let number = 1; ; number++) {
    const name = `${kind}-${number}`
    if (!status.workers.some(worker => worker.name === name)) return name
  }
}
