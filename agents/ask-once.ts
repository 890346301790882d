import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {
  buildHeadlessArguments,
  claudeVariables,
  detectLogin,
  findClaude,
  parseStreamLine,
  prepareLogin,
  readUserSettings,
  requireLogin,
} from '#host/claude'
import { agentVariableNames, type Config, pickVariables } from '#host/config'
import { createInterruptError, DispatchError, exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { makePrivateFolder, writeAtomic } from '#host/fs'
import { createPlaceholder, requireReadableLogin } from '#host/model'
import { toOneLine } from '#host/text.ts'
import { MINUTE_MS } from '#host/time.ts'
import { noToolchains } from '#host/toolchains'
import type { SessionManifest } from '#session'
import { renderPrompt } from './prompt.ts'
import { type AgentSeat, prepareClaudeFolder, prepareReaderSandbox, resolveClaudeProgram } from './sandbox.ts'

/** A question to an agent outside of a session. */
export interface OnceQuestion {
  /** Which of `prompts/`, and what it is filled in with. */
  prompt: string
  values: Record<string, string>
  /** What it is asked. */
  text: string
  model: string
  sandbox: SessionManifest['sandbox']
  /** Puts into this new folder what the agent may read. It reads only in a sandbox; without one it has no tool at all. */
  fillFolder(folder: string): Promise<void>
  end: AbortSignal
}

export interface OnceAnswer {
  text: string
  costUsd: number
}

/**
 * Ask claude once, headless. In a sandbox it may read one folder; it can write nothing and start nothing. Exit 7 without a login, 8 if it
 * gives no answer, 124 if that takes too long, 130 where `end` aborts it.
 */
export async function askOnce(config: Config, question: OnceQuestion): Promise<OnceAnswer> {
  const parent = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-once-')))
  try {
    return await ask(config, question, parent)
  } catch (error) {
    if (error instanceof DispatchError && question.end.aborted) throw createInterruptError()
    throw error
  } finally {
    fs.rmSync(parent, { recursive: true, force: true })
  }
}

// --- internal ---

const ANSWER_TIMEOUT_MS = 15 * MINUTE_MS
const MAX_STREAM_BYTES = 32 << 20
const BUDGET_USD = 3
const MAX_REASON_CHARS = 300

/** What of the environment leads to programs and to the model. */
const ownVariables = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TMPDIR', 'NODE_COMPILE_CACHE']

async function ask(config: Config, question: OnceQuestion, parent: string): Promise<OnceAnswer> {
  const [folder, temp, claude] = ['files', 'tmp', 'claude'].map(name => path.join(parent, name)) as [
    string,
    string,
    string,
  ]
  makePrivateFolder(temp)
  await question.fillFolder(folder)
  makePrivateFolder(folder)
  const seat = await openSeat(config, question.sandbox, { folder, settingsFile: path.join(parent, 'settings.json') })
  const systemPromptFile = path.join(parent, 'system-prompt.md')
  writeAtomic(systemPromptFile, renderPrompt(question.prompt, question.values))
  writeAtomic(seat.paths.claudeSettings, JSON.stringify(readUserSettings().kept))
  const placeholder = createPlaceholder()
  const variables = { ...claudeVariables, ...prepareClaudeFolder(seat, claude, placeholder) }
  const policyFile = path.join(parent, 'policy.json')
  const prefix = prepareReaderSandbox(seat, { claude, temp, policyFile }, Object.keys(variables), placeholder)
  const [program = '', ...args] = [
    ...prefix,
    ...buildHeadlessArguments({
      program: resolveClaudeProgram(seat),
      model: question.model,
      systemPromptFile,
      settingsFile: seat.paths.claudeSettings,
      sessionId: randomUUID(),
      tools: prefix.length > 0 ? ['Read', 'Glob', 'Grep'] : [],
      budgetUsd: BUDGET_USD,
    }),
  ]
  const ran = await runProgram(program, args, {
    cwd: folder,
    env: { ...pickVariables([...ownVariables, ...agentVariableNames]), ...variables },
    input: question.text,
    timeoutMs: ANSWER_TIMEOUT_MS,
    maxOutputBytes: MAX_STREAM_BYTES,
    end: question.end,
  })
  if (ran.timedOut)
    throw new DispatchError(`${question.model} gave no answer within ${ANSWER_TIMEOUT_MS / MINUTE_MS} minutes`, {
      exitCode: exitCodes.deadline,
      remedy: 'Nothing was changed. Run the same command again.',
    })
  return readAnswer(ran.stdout, ran.stderr, question.model)
}

/** As much of a session as an agent needs. No session is in its folder, which stands for one in the workspace. */
async function openSeat(
  config: Config,
  sandbox: SessionManifest['sandbox'],
  { folder, settingsFile }: { folder: string; settingsFile: string },
): Promise<AgentSeat> {
  const login = detectLogin(config.claudeFolder)
  const program = findClaude()
  if (login.kind === 'key') prepareLogin(login, config.workspace)
  await requireLogin(login, program)
  await requireReadableLogin(sandbox.kind !== null, login)
  const claude = { program, sessionId: randomUUID(), configDirectory: login.configDirectory ?? null }
  return {
    manifest: { sandbox, loginKind: login.kind, claude, allowedHosts: [], toolchains: noToolchains },
    paths: { folder: path.join(config.workspace, 'once'), outputs: folder, claudeSettings: settingsFile },
  }
}

function readAnswer(stdout: string, stderr: string, model: string): OnceAnswer {
  const result = stdout
    .split('\n')
    .flatMap(parseStreamLine)
    .findLast(event => event.kind === 'result')?.result
  if (result?.is_error === false && result.result !== undefined)
    return { text: result.result, costUsd: result.total_cost_usd ?? 0 }
  const reason = result?.result ?? result?.subtype ?? stderr.trim().split('\n').at(-1) ?? ''
  throw new DispatchError(`${model} gave no answer: ${toOneLine(reason, MAX_REASON_CHARS) || 'it ended early'}`, {
    exitCode: exitCodes.upstream,
    remedy: 'Nothing was changed. Run the same command again.',
  })
}
