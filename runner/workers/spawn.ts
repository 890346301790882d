import { parseArgs } from 'node:util'
import { makePrivateFolder, writeAtomic } from '#host/fs'
import { isWorkerName } from '#session'
import { decideBrackets, formatGlobs, globsOverlap, isGlob } from '#session/contract'
import type { WorkerStatus } from '#session/status'
import { accept, type CommandReply, listActiveWorkers, type RunnerContext, refuse } from '../context.ts'
import { listBaseFiles } from '../contract/base-checks.ts'
import { listDraftClauseIds } from '../contract/draft.ts'
import { readSealedContract, sealContract } from '../contract/seal.ts'
import type { AgentRequest } from '../requests.ts'
import { refuseOverBudget } from './budget.ts'
import { chooseWorkerModel } from './choose-model.ts'

/** What the orchestrator decides about a worker. The runner adds the rest. */
type WorkerRequest = Pick<WorkerStatus, 'name' | 'kind' | 'model' | 'clauses' | 'files'>

const MAX_ACTIVE_WORKERS = 8

const SPAWN_USAGE = `usage: spawn-worker code|rw --clauses C1,C2 [--files GLOB …] [--name NAME] <<'BRIEF'
…what to do…
BRIEF`

/** Answer `spawn-worker`: seal the contract if needed, queue the worker, and answer which worker it waits for. */
export async function spawnWorker(context: RunnerContext, request: AgentRequest): Promise<CommandReply> {
  // A runner that died before it could reply may have queued the worker already.
  const known = context.status.workers.find(worker => worker.requestId === request.id)
  if (known) return createQueuedReply(known)
  const asked = parseSpawnRequest(context, request)
  if ('text' in asked) return asked
  const worker = { ...asked, files: await decideFiles(context, asked.files) }
  // Sealing comes last: a spawn that is refused for another reason seals nothing.
  const refused = refuseOverBudget(context) ?? refuseUnfitWorker(context, worker) ?? (await sealContract(context))
  if (refused) return refused
  const { name, ...details } = worker
  const paths = context.session.paths.worker(name)
  makePrivateFolder(paths.folder)
  writeAtomic(paths.brief, request.input)
  const lastCodeWorker = listActiveWorkers(context.status).findLast(({ kind }) => kind === 'code')
  const blockedBy = (worker.kind === 'code' && lastCodeWorker?.name) || null
  context.record({ type: 'worker.queued', worker: name, ...details, blockedBy, requestId: request.id })
  return createQueuedReply({ ...worker, blockedBy })
}

// --- internal ---

function createQueuedReply({
  name,
  kind,
  model,
  blockedBy,
}: WorkerRequest & Pick<WorkerStatus, 'blockedBy'>): CommandReply {
  const start =
    blockedBy === null ? 'starts now' : `starts by itself after ${blockedBy}, which has the write lock or gets it first`
  return accept(`Worker ${name} (${kind}, ${model}) ${start}.\nNext: more spawn-worker, or wait-workers.`)
}

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
  const splitList = (values: string[] = []) => values.flatMap(value => value.split(/(?<!\\)[\s,]+/)).filter(Boolean)
  const clauses = splitList(parsed.values.clauses)
  const files = splitList(parsed.values.files)
  const name = parsed.values.name ?? pickWorkerName(context, kind)
  if (input.toString('utf8').trim() === '')
    return refuse(`The brief is empty. A worker knows only its brief and the contract.\n${SPAWN_USAGE}`)
  if (clauses.length === 0) return refuse(`Name the clauses of this worker: --clauses C1,C2\n${SPAWN_USAGE}`)
  if (!isWorkerName(name) || context.status.workers.some(worker => worker.name === name))
    return refuse(
      `The name "${name}" is invalid or taken. Use a new one of a to z, digits and -, at most 24 characters.`,
    )
  if (kind === 'rw' && files.length === 0)
    return refuse(`An rw worker must name the files it may change: --files README.md --files 'docs/**'\n${SPAWN_USAGE}`)
  const badGlob = files.find(glob => !isGlob(glob) || glob === '**' || glob === '*')
  if (badGlob !== undefined)
    return refuse(
      `"${badGlob}" cannot be the files of a worker. Name files from the top of the repository, and fewer than all of them.`,
    )
  const model = chooseWorkerModel(context.session.manifest, context.status.clauses, { kind, clauses })
  return { name, kind, model, clauses, files }
}

/** The files as decided globs, which is what everything else about the worker goes by. */
async function decideFiles(context: RunnerContext, files: string[]): Promise<string[]> {
  return files.length > 0 ? decideBrackets(files, await listBaseFiles(context)) : []
}

/** Refuse a worker that conflicts with the contract or with other workers. */
function refuseUnfitWorker(
  context: RunnerContext,
  { clauses, files, kind, name }: WorkerRequest,
): CommandReply | undefined {
  const known = context.status.contract
    ? readSealedContract(context).clauses.map(clause => clause.id)
    : listDraftClauseIds(context)
  const unknown = clauses.find(id => !known.includes(id))
  if (known.length > 0 && unknown !== undefined)
    return refuse(`The contract has no clause ${unknown}. It has ${known.join(', ')}.`)
  const active = listActiveWorkers(context.status)
  if (active.length >= MAX_ACTIVE_WORKERS)
    return refuse(`${active.length} workers are already working. Run wait-workers first.`)
  const findSharedClauses = (other: WorkerStatus) => other.clauses.filter(id => clauses.includes(id))
  const otherKind = active.find(other => other.kind !== kind && findSharedClauses(other).length > 0)
  if (otherKind)
    return refuse(
      `${otherKind.name} (${otherKind.kind}) already works on ${findSharedClauses(otherKind).join(', ')}. A clause can have only one kind of worker at a time.`,
    )
  const overlapping = active.find(other => other.files.some(glob => files.some(file => globsOverlap(glob, file))))
  if (overlapping)
    return refuse(
      `${name} cannot have ${formatGlobs(files)}: ${overlapping.name} has ${formatGlobs(overlapping.files)}. Wait for it, or name other files.`,
    )
  return undefined
}

function pickWorkerName({ status }: RunnerContext, kind: string): string {
  for (let number = 1; ; number++) {
    const name = `${kind}-${number}`
    if (!status.workers.some(worker => worker.name === name)) return name
  }
}
