import { parseArgs } from 'node:util'
import type { Commission } from '../agents/index.ts'
import { makePrivate, writeAtomic } from '../host/index.ts'
import { globsOverlap, isGlob, isWorkerName, type Worker } from '../session/index.ts'
import { overBudget } from './budget.ts'
import type { Request } from './desk.ts'
import { draftedClauses } from './draft.ts'
import { type Reply, type Running, refuse } from './running.ts'
import { sealContract, sealedContract } from './seal.ts'

/** What an orchestrator asks for; the rest of a commission is ours to say. */
type Asked = Omit<Commission, 'brief' | 'token' | 'accepted'>

/** At most so many workers at once, whatever is asked. */
const crowd = 8

/** `spawn-worker`: seal if need be, queue the worker, answer whom it waits for. */
export async function commission(running: Running, request: Request): Promise<Reply> {
  const known = running.status.workers.find(worker => worker.request === request.id)
  if (known) return commissioned(known) // A runner that died before it could answer has done it already.
  const asked = readCommission(running, request)
  if ('text' in asked) return asked
  const refused = overBudget(running) ?? unfit(running, asked) ?? (await sealContract(running)) // A spawn that is refused seals nothing.
  if (refused) return refused
  const { name, kind, model, clauses, files } = asked
  const ahead = kind === 'code' ? codeQueue(running).at(-1) : undefined
  makePrivate(running.session.paths.worker(name).folder)
  writeAtomic(running.session.paths.worker(name).brief, request.input)
  const waitsFor = ahead?.name ?? null
  running.record({ is: 'worker.queued', worker: name, kind, model, clauses, files, waitsFor, request: request.id })
  return commissioned({ name, kind, model, waitsFor })
}

function commissioned({ name, kind, model, waitsFor }: Pick<Worker, 'name' | 'kind' | 'model' | 'waitsFor'>): Reply {
  const when =
    waitsFor === null
      ? 'starts now'
      : `waits for ${waitsFor}, which holds the write lock or stands before it; it starts by itself`
  return { exit: 0, text: `Worker ${name} (${kind}, ${model}) ${when}.\nNext: more spawn-worker, or wait-workers.` }
}

// --- internal ---

function readCommission(running: Running, { words, input }: Request): Asked | Reply {
  let parsed: { values: { clauses?: string[]; files?: string[]; name?: string }; positionals: string[] }
  try {
    parsed = parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        clauses: { type: 'string', multiple: true },
        files: { type: 'string', multiple: true },
        name: { type: 'string' },
      },
    })
  } catch (error) {
    return refuse(`${error instanceof Error ? error.message : error}\n${usage}`)
  }
  const [kind, ...rest] = parsed.positionals
  if ((kind !== 'code' && kind !== 'rw') || rest.length > 0) return refuse(usage)
  const list = (values: string[] = []) => values.flatMap(value => value.split(/[\s,]+/)).filter(Boolean)
  const clauses = list(parsed.values.clauses)
  const files = list(parsed.values.files)
  const name = parsed.values.name ?? unusedName(running, kind)
  if (input.toString('utf8').trim() === '')
    return refuse(`The brief is empty. A worker knows only its brief and the contract.\n${usage}`)
  if (clauses.length === 0) return refuse(`Say which clauses this worker answers for: --clauses C1,C2\n${usage}`)
  if (!isWorkerName(name) || running.status.workers.some(worker => worker.name === name))
    return refuse(`The name "${name}" is taken or not fit: a to z, digits and -, at most 24, and new.`)
  if (kind === 'rw' && files.length === 0)
    return refuse(`An rw worker must name the files it may change: --files README.md --files 'docs/**'\n${usage}`)
  const bad = files.find(glob => !isGlob(glob) || glob === '**' || glob === '*')
  if (bad !== undefined)
    return refuse(
      `"${bad}" is not a set of files a worker can be given: name them from the top of the repository, narrower than everything.`,
    )
  return { name, kind, model: running.session.opening.models[kind], clauses, files }
}

const usage = `usage: spawn-worker code|rw --clauses C1,C2 [--files GLOB …] [--name NAME] <<'BRIEF'
…what to do…
BRIEF`

/** What the sealed contract and the other workers have against it. */
function unfit(running: Running, { clauses, files, kind, name }: Asked): Reply | undefined {
  const known = running.status.contract
    ? sealedContract(running).clauses.map(clause => clause.id)
    : draftedClauses(running)
  const foreign = clauses.find(id => !known.includes(id))
  if (known.length > 0 && foreign !== undefined)
    return refuse(`The contract has no clause ${foreign}. It has ${known.join(', ')}.`)
  const others = running.status.workers.filter(worker => worker.endedAt === undefined)
  if (others.length >= crowd) return refuse(`${others.length} workers are at work already; wait-workers first.`)
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

function codeQueue({ status }: Running): Worker[] {
  return status.workers.filter(worker => worker.kind === 'code' && worker.endedAt === undefined)
}

function unusedName({ status }: Running, kind: string): string {
  for (let number = 1; ; number++) {
    const name = `${kind}-${number}`
    if (!status.workers.some(worker => worker.name === name)) return name
  }
}
