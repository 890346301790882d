import fs from 'node:fs'
import path from 'node:path'
import { buildInteractiveArguments, claudeVariables } from '#host/claude'
import { installFolder } from '#host/config'
import { writeAtomic } from '#host/fs'
import { escapeShellPattern } from '#host/text.ts'
import type { Session } from '#session'
import { renderContractTemplate, splitSentences } from '#session/contract'
import { readInstructions } from './instructions.ts'
import { renderLaunchScript } from './launch-script.ts'
import { prepareClaudeFolder, prepareOrchestratorSandbox, resolveClaudeProgram } from './sandbox.ts'
import { fillTemplate } from './template.ts'

const allowedTools = ['Bash', 'Read', 'Write', 'Edit', 'Glob', 'Grep']

/**
 * Lay the orchestrator's desk and write its orders and its launch script. The task reaches it inside the orders file,
 * byte for byte: it stands in no argument, no shell line and no terminal.
 */
export function prepareOrchestrator(session: Session): void {
  const { id, paths, manifest } = session
  const task = fs.readFileSync(paths.task)
  const origin = manifest.repository ? `a clone of ${manifest.repository.path}` : 'an empty repository'
  const words = fillTemplate(fs.readFileSync(path.join(installFolder, 'agents/prompts/orchestrator.md'), 'utf8'), {
    session: id,
    outputs: paths.outputs,
    origin,
    rounds: String(manifest.maxRounds),
    setup: describeDependencies(manifest),
    instructions: readInstructions(session),
    task: TASK_PLACEHOLDER,
  })
  const [before = '', after = ''] = words.split(TASK_PLACEHOLDER)
  writeAtomic(
    paths.systemPrompt,
    Buffer.concat([Buffer.from(`${readAgentRules()}\n${before}`), task, Buffer.from(after)]),
  )
  fs.writeFileSync(
    path.join(paths.orchestratorFolder, 'contract.md'),
    renderContractTemplate(manifest.task.title, splitSentences(task.toString('utf8'))),
    { mode: 0o600 },
  )
  fs.writeFileSync(path.join(paths.orchestratorFolder, 'plan.md'), `# Plan: ${manifest.task.title}\n`, { mode: 0o600 })
  writeAtomic(paths.writeAllowlist, `${escapeShellPattern(paths.orchestratorFolder)}/*\n`)
  writeAtomic(paths.stopGate, formatStopBlock('You have not yet written the contract. Go on with step 1.'))
  writeAtomic(paths.launchScript, renderOrchestratorScript(session), 0o700)
}

/** What a Stop hook prints to keep a turn going. */
export function formatStopBlock(reason: string): string {
  return `${JSON.stringify({ decision: 'block', reason })}\n`
}

/** The four rules that every agent of ours is given. */
export function readAgentRules(): string {
  return fs.readFileSync(path.join(installFolder, 'CLAUDE.md'), 'utf8')
}

/** Where an agent's hooks and tools find the session; the values are paths of ours. */
export function buildSessionVariables({ id, paths }: Session): Record<string, string> {
  return {
    ...claudeVariables,
    DISPATCH_SESSION: id,
    DISPATCH_HOOKS: path.join(installFolder, 'hooks'),
    DISPATCH_HOOK_INBOX: paths.hookInbox,
    DISPATCH_OUTPUTS: paths.outputs,
  }
}

function describeDependencies({ project }: Session['manifest']): string {
  if (!project || project.setup.length === 0) return ''
  const commands = project.setup.map(command => `\`${command}\``).join(', ')
  return `\nThe project's dependencies are made by us (${commands}) and stand in place for every worker and every check; what lies in node_modules/.bin or .venv/bin can be called by its name.\n`
}

function renderOrchestratorScript(session: Session): string {
  const { paths, manifest } = session
  const launch = {
    program: resolveClaudeProgram(session),
    model: manifest.models.orchestrator,
    systemPromptFile: paths.systemPrompt,
    settingsFile: path.join(installFolder, 'settings.json'),
    sessionId: manifest.claude.sessionId,
    tools: allowedTools,
  }
  const variables = {
    ...buildSessionVariables(session),
    ...prepareClaudeFolder(session, paths.claudeFolder),
    DISPATCH_ROLE: 'orchestrator',
    DISPATCH_ORCHESTRATOR_FOLDER: paths.orchestratorFolder,
    DISPATCH_REPLIES: paths.replies,
    DISPATCH_STOP_GATE: paths.stopGate,
    DISPATCH_WRITE_ALLOWLIST: paths.writeAllowlist,
  }
  return renderLaunchScript({
    comment: `The orchestrator of ${session.id}.`,
    folder: paths.orchestratorFolder,
    variables,
    isSandboxed: session.manifest.sandbox.kind !== null,
    toolsFolder: path.join(installFolder, 'bin/agent-tools'),
    command: [...prepareOrchestratorSandbox(session, variables), ...buildInteractiveArguments(launch, 'Begin.')],
  })
}

const TASK_PLACEHOLDER = '\u0000task\u0000'
