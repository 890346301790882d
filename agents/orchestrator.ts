import fs from 'node:fs'
import path from 'node:path'
import { buildInteractiveArguments, claudeVariables } from '#host/claude'
import { installFolder } from '#host/config'
import { writeAtomic } from '#host/fs'
import { createPlaceholder } from '#host/model'
import { escapeShellPattern, quoteForShell } from '#host/shell-quote.ts'
import { buildCacheVariables } from '#host/toolchains'
import type { Session } from '#session'
import { renderContractTemplate, splitSentences } from '#session/contract'
import { renderLaunchScript } from './launch-script.ts'
import { describeEarlierAttempt, describeTaskSource, readInstructions, renderPrompt } from './prompt.ts'
import {
  prepareClaudeFolder,
  prepareClaudeSettings,
  prepareOrchestratorSandbox,
  resolveClaudeProgram,
  toolsFolder,
} from './sandbox.ts'

/** The task itself is in the system prompt. */
export const FIRST_PROMPT = 'Begin.'

const allowedTools = ['Bash', 'Read', 'Write', 'Edit', 'Glob', 'Grep']

/**
 * Prepare the orchestrator's folder, its system prompt and its launch script. The task is in the system prompt byte for byte:
 * it never passes through an argument, a shell line or a terminal.
 */
export function prepareOrchestrator(session: Session): void {
  const { id, paths, manifest } = session
  const task = fs.readFileSync(paths.task)
  const setup = (manifest.project?.setup ?? []).map(command => `\`${command}\``).join(', ')
  const prompt = renderPrompt('orchestrator', {
    session: id,
    outputs: paths.outputs,
    outputsWord: quoteForShell(paths.outputs),
    origin: manifest.repository ? `a clone of ${manifest.repository.path}` : 'an empty repository',
    rounds: String(manifest.maxRounds),
    setup:
      setup &&
      `\nDispatch installs the project's dependencies (${setup}) for every worker and every check; programs in node_modules/.bin and .venv/bin can be called by name.\n`,
    earlier: describeEarlierAttempt(session),
    instructions: readInstructions(session),
    source: describeTaskSource(task.toString('utf8')),
    task: TASK_PLACEHOLDER,
  })
  const at = prompt.lastIndexOf(TASK_PLACEHOLDER) // Nothing of others comes after it.
  const [before, after] = [prompt.slice(0, at), prompt.slice(at + TASK_PLACEHOLDER.length)]
  writeAtomic(paths.systemPrompt, Buffer.concat([Buffer.from(before), task, Buffer.from(after)]))
  const contract = renderContractTemplate(manifest.task.title, splitSentences(task.toString('utf8')))
  fs.writeFileSync(paths.draftContract, contract, { mode: 0o600 })
  fs.writeFileSync(paths.draftPlan, `# Plan: ${manifest.task.title}\n`, { mode: 0o600 })
  writeAtomic(paths.writeAllowlist, `${escapeShellPattern(paths.orchestratorFolder)}/*\n`)
  writeAtomic(paths.stopGate, formatStopBlock('The contract is not written yet. Continue with step 1.'))
  prepareClaudeSettings(session)
  writeAtomic(paths.launchScript, renderOrchestratorScript(session, FIRST_PROMPT), 0o700, { isDurable: false })
}

/** How an orchestrator starts whose claude has ended. */
export interface Resumption {
  /** Begin a new conversation, because the transcript of the old one is gone. */
  isNewConversation: boolean
  /** What it reads first. Without it, it waits at its input line. */
  prompt: string | undefined
}

/** Write a launch script that starts the orchestrator again. */
export function prepareResume(session: Session, { isNewConversation, prompt }: Resumption): void {
  writeAtomic(session.paths.launchScript, renderOrchestratorScript(session, prompt, !isNewConversation), 0o700, {
    isDurable: false,
  })
}

/** Format what a Stop hook prints to keep a turn from ending. */
export function formatStopBlock(reason: string): string {
  return `${JSON.stringify({ decision: 'block', reason })}\n`
}

/**
 * The variables by which an agent's hooks and tools find the session. Its git reads no configuration of the machine or the user,
 * which may have it sign or run hooks. A sandbox hides the user's anyway; there, tests may bring a home of their own.
 */
export function buildSessionVariables({ id, paths, manifest }: Session): Record<string, string> {
  return {
    ...claudeVariables,
    GIT_CONFIG_NOSYSTEM: '1',
    ...(manifest.sandbox.kind === null ? { GIT_CONFIG_GLOBAL: paths.agentGitConfig } : {}),
    DISPATCH_SESSION: id,
    DISPATCH_HOOKS: path.join(installFolder, 'hooks'),
    DISPATCH_HOOK_INBOX: paths.hookInbox,
    DISPATCH_OUTPUTS: paths.outputs,
  }
}

function renderOrchestratorScript(session: Session, prompt: string | undefined, isResumed = false): string {
  const { paths, manifest } = session
  const placeholder = createPlaceholder()
  const variables = {
    ...buildSessionVariables(session),
    ...prepareClaudeFolder(session, paths.claudeFolder, placeholder),
    ...manifest.toolchains.variables,
    ...buildCacheVariables(path.join(paths.tempFolder, 'home')),
    DISPATCH_ROLE: 'orchestrator',
    DISPATCH_ORCHESTRATOR_FOLDER: paths.orchestratorFolder,
    DISPATCH_REPLIES: paths.replies,
    DISPATCH_STOP_GATE: paths.stopGate,
    DISPATCH_WRITE_ALLOWLIST: paths.writeAllowlist,
  }
  const launch = {
    program: resolveClaudeProgram(session),
    model: manifest.models.orchestrator,
    systemPromptFile: paths.systemPrompt,
    settingsFile: paths.claudeSettings,
    sessionId: manifest.claude.sessionId,
    isResumed,
    tools: allowedTools,
  }
  const sandboxCommand = prepareOrchestratorSandbox(session, Object.keys(variables), placeholder)
  return renderLaunchScript({
    comment: `The orchestrator of ${session.id}.`,
    folder: paths.orchestratorFolder,
    variables,
    isSandboxed: manifest.sandbox.kind !== null,
    toolsFolder,
    command: [...sandboxCommand, ...buildInteractiveArguments(launch, prompt)],
  })
}

const TASK_PLACEHOLDER = '\u0000task\u0000'
