import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { headlessArguments, install, makePrivate, shellPattern, writeAtomic } from '../host/index.ts'
import type { Session, WorkerKind } from '../session/index.ts'
import { claudeFolder, claudeProgram, workerDoor } from './enclosure.ts'
import { instructionsFor } from './instructions.ts'
import { launchScript } from './launch.ts'
import { houseRules, sessionVariables } from './orchestrator.ts'
import { fill } from './template.ts'

/** What the orchestrator asked for. */
export interface Commission {
  name: string
  kind: WorkerKind
  model: string
  clauses: string[]
  /** rw: the globs it may change. code: the globs that running rw workers hold. */
  files: string[]
  brief: Uint8Array
  /** The place in the write lock; code only. */
  token: number
  /** Folders of the project's own tools, found by name. */
  programs?: string[]
  /** What those tools are told. */
  variables?: Record<string, string>
  /** Dollars after which claude stops it. */
  budgetUsd?: number | undefined
  /** The commit that workers have handed in so far; what stands on top of it is set aside. Empty: not to be asked. */
  accepted: string
}

const tools: Record<WorkerKind, string[]> = {
  code: ['Bash', 'Read', 'Write', 'Edit', 'Glob', 'Grep'],
  rw: ['Read', 'Write', 'Edit', 'Glob', 'Grep'],
}

/** Lay a worker's folder: brief, orders, guard and the launch script of its window. Answers the script's path. */
export function layWorker(
  session: Session,
  { name, kind, model, clauses, files, brief, token, accepted, programs = [], variables = {}, budgetUsd }: Commission,
): string {
  const { id, paths } = session
  const own = paths.worker(name)
  makePrivate(own.folder)
  const shared = {
    worker: name,
    session: id,
    clauses: clauses.join(', ') || 'those your brief names',
    contract: fs.readFileSync(paths.contract, 'utf8'),
    instructions: instructionsFor(session),
  }
  const notyours = files.length > 0 ? `, but not ${files.join(', ')}: another worker writes those` : ''
  const orders = fill(
    fs.readFileSync(path.join(install, `agents/worker-${kind}.md`), 'utf8'),
    kind === 'code' ? { ...shared, notyours } : { ...shared, files: files.join(', ') },
  )
  writeAtomic(own.brief, brief)
  writeAtomic(own.orders, `${houseRules()}\n${orders}`)
  writeAtomic(
    own.guard,
    kind === 'code'
      ? `${shellPattern(paths.outputs)}/*\n`
      : files
          .flatMap(glob => [casePattern(glob), `${casePattern(glob)}/*`])
          .map(pattern => `${shellPattern(paths.outputs)}/${pattern}\n`)
          .join(''),
  )
  writeAtomic(path.join(own.folder, 'files'), files.map(glob => `${glob}\n`).join(''))
  const launch = {
    claude: claudeProgram(session),
    model,
    orders: own.orders,
    settings: path.join(install, 'settings.json'),
    session: randomUUID(),
    tools: tools[kind],
    budgetUsd,
  }
  const told = {
    ...sessionVariables(session),
    ...claudeFolder(session, own.claude),
    ...variables,
    DISPATCH_ROLE: 'worker',
    DISPATCH_WORKER: `${id}/${name}`,
    DISPATCH_KIND: kind,
    DISPATCH_FOLDER: own.folder,
    DISPATCH_FILES: path.join(own.folder, 'files'),
    DISPATCH_GUARD: own.guard,
    DISPATCH_LOCK: paths.lock,
    DISPATCH_TOKEN: String(token),
    DISPATCH_ACCEPTED: accepted,
    DISPATCH_TOOLS: programs.join(':'),
  }
  const script = launchScript({
    about: `Worker ${name} of ${id}.`,
    folder: paths.outputs,
    variables: {
      ...told,
      ...workerDoor(session, { name, kind, files, programs, reads: Object.values(variables) }, told),
    },
    isEnclosed: session.opening.sandbox.kind !== null,
    command: ['/bin/sh', path.join(install, 'agents/worker.sh'), ...headlessArguments(launch)],
  })
  writeAtomic(own.launch, script, 0o700)
  return own.launch
}

/** The mark every process of this worker carries in its environment. */
export function workerMark(session: Session, name: string): string {
  return `DISPATCH_WORKER=${session.id}/${name}`
}

/** A glob as `case` reads it: `**` and `*` both cross slashes there, so the guard is the looser of the two; the commit is exact. */
function casePattern(glob: string): string {
  return glob.replace(/\/+$/, '').replaceAll('**', '*')
}
