import fs from 'node:fs'
import path from 'node:path'
import { install, interactiveArguments, launchVariables, shellPattern, writeAtomic } from '../host/index.ts'
import { type Session, sentencesOf, skeleton } from '../session/index.ts'
import { claudeFolder, claudeProgram, orchestratorDoor } from './enclosure.ts'
import { instructionsFor } from './instructions.ts'
import { launchScript } from './launch.ts'
import { fill } from './template.ts'

const tools = ['Bash', 'Read', 'Write', 'Edit', 'Glob', 'Grep']

/**
 * Lay the orchestrator's desk and write its orders and its launch script. The task reaches it inside the orders file,
 * byte for byte: it stands in no argument, no shell line and no terminal.
 */
export function layOrchestrator(session: Session): void {
  const { id, paths, opening } = session
  const task = fs.readFileSync(paths.task)
  const origin = opening.repository ? `a clone of ${opening.repository.path}` : 'an empty repository'
  const words = fill(fs.readFileSync(path.join(install, 'agents/orchestrator.md'), 'utf8'), {
    session: id,
    outputs: paths.outputs,
    origin,
    rounds: String(opening.rounds),
    setup: setupWords(opening),
    instructions: instructionsFor(session),
    task: marker,
  })
  const [before = '', after = ''] = words.split(marker)
  writeAtomic(paths.orders, Buffer.concat([Buffer.from(`${houseRules()}\n${before}`), task, Buffer.from(after)]))
  fs.writeFileSync(
    path.join(paths.desk, 'contract.md'),
    skeleton(opening.task.title, sentencesOf(task.toString('utf8'))),
    { mode: 0o600 },
  )
  fs.writeFileSync(path.join(paths.desk, 'plan.md'), `# Plan: ${opening.task.title}\n`, { mode: 0o600 })
  writeAtomic(paths.guard, `${shellPattern(paths.desk)}/*\n`)
  writeAtomic(paths.hold, holdReply('You have not yet written the contract. Go on with step 1.'))
  writeAtomic(paths.launch, orchestratorScript(session), 0o700)
}

/** What a Stop hook prints to keep a turn going. */
export function holdReply(reason: string): string {
  return `${JSON.stringify({ decision: 'block', reason })}\n`
}

/** The four rules that every agent of ours is given. */
export function houseRules(): string {
  return fs.readFileSync(path.join(install, 'CLAUDE.md'), 'utf8')
}

/** Where an agent's hooks and tools find the session; the values are paths of ours. */
export function sessionVariables({ id, paths }: Session): Record<string, string> {
  return {
    ...launchVariables,
    DISPATCH_SESSION: id,
    DISPATCH_HOOKS: path.join(install, 'hooks'),
    DISPATCH_SPOOL: paths.spool,
    DISPATCH_OUTPUTS: paths.outputs,
  }
}

function setupWords({ project }: Session['opening']): string {
  if (!project || project.setup.length === 0) return ''
  const commands = project.setup.map(command => `\`${command}\``).join(', ')
  return `\nThe project's dependencies are made by us (${commands}) and stand in place for every worker and every check; what lies in node_modules/.bin or .venv/bin can be called by its name.\n`
}

function orchestratorScript(session: Session): string {
  const { paths, opening } = session
  const launch = {
    claude: claudeProgram(session),
    model: opening.models.orchestrator,
    orders: paths.orders,
    settings: path.join(install, 'settings.json'),
    session: opening.claude.session,
    tools,
  }
  const variables = {
    ...sessionVariables(session),
    ...claudeFolder(session, paths.claude),
    DISPATCH_ROLE: 'orchestrator',
    DISPATCH_DESK: paths.desk,
    DISPATCH_REPLIES: paths.replies,
    DISPATCH_HOLD: paths.hold,
    DISPATCH_GUARD: paths.guard,
  }
  return launchScript({
    about: `The orchestrator of ${session.id}.`,
    folder: paths.desk,
    variables,
    isEnclosed: session.opening.sandbox.kind !== null,
    tools: path.join(install, 'bin/desk'),
    command: [...orchestratorDoor(session, variables), ...interactiveArguments(launch, 'Begin.')],
  })
}

const marker = '\u0000task\u0000'
