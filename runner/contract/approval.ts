import type { Config } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { writeAtomic } from '#host/fs'
import { sha256 as computeSha256 } from '#host/hash.ts'
import { type AgentMarks, checkLiveness, explainAgent, hasFileOpen, listAncestors } from '#host/process'
import { openTmux } from '#host/tmux'
import { listSessions, type Session } from '#session'
import { readLeaseHolder } from '#session/lease'
import { type Event, readLog } from '#session/log'
import type { CommandReply, RunnerContext } from '../context.ts'
import {
  getApprovalFile,
  getMessageFile,
  readContractForApproval,
  readPasteOffset,
  type StoredMessage,
} from '../messages/store.ts'
import { readDraft } from './draft.ts'

/**
 * With `--approve`: ask the human about a draft and answer why it cannot be sealed yet; undefined if they have approved exactly
 * this text. A copy of the text is kept where no agent can write.
 */
export function refuseUnapproved(context: RunnerContext, text: string): CommandReply | undefined {
  const { session, status } = context
  if (!session.manifest.requiresApproval) return undefined
  const sha256 = computeSha256(text)
  const { approval, phase } = status
  if (approval?.sha256 === sha256 && approval.state === 'given') return undefined
  if (approval?.sha256 !== sha256 || approval.state !== 'asked' || phase !== 'asking') {
    writeAtomic(getApprovalFile(session.paths, sha256), text, 0o400)
    context.record({ type: 'approval.requested', sha256 })
  }
  return {
    exitCode: exitCodes.conflict,
    text: "The contract is ready and needs the human's approval. Nothing was started. End your turn now: the answer will be your next message. Do not change contract.md: a changed text needs approval again.",
  }
}

/**
 * Decide whether a message may be typed: its sender must be a living process that is not an agent's. An approval or a refusal is
 * recorded here, once, and only for the text that was shown. Answers why not, or undefined.
 */
export async function authorizeMessage(
  context: RunnerContext,
  message: StoredMessage,
): Promise<CommandReply | undefined> {
  if (readPasteOffset(context.session.paths, message.id) !== undefined) return undefined // It was authorized before it was pasted.
  if (message.kind !== 'say' && isAlreadyDecided(context, message)) return undefined // That runner died before it could reply.
  const objection = await explainNotHuman(context, message)
  if (objection !== undefined) return { exitCode: exitCodes.conflict, text: objection }
  if (message.kind === 'say') return undefined
  const refused = explainStaleApproval(context, message)
  if (refused !== undefined) return { exitCode: exitCodes.conflict, text: refused }
  const { sha256, sender } = message
  context.record({
    type: message.kind === 'approve' ? 'contract.approved' : 'contract.declined',
    sha256,
    actor: sender.name,
  })
  return undefined
}

/** Why a process may not approve for the human; undefined if it may. A command asks this of itself, and the runner of the command. */
export async function detectAgent(session: Session, home: string, pid: number): Promise<string | undefined> {
  return explainAgent(await listAncestors(pid), await readAgentMarks(session, home, pid))
}

/** Why a process may not send a message: its environment marks it as an agent of dispatch. */
export async function detectAgentMark(pid: number): Promise<string | undefined> {
  return explainAgent(await listAncestors(pid), {
    variableNames: ['DISPATCH_SESSION', 'DISPATCH_ROLE'],
    terminals: [],
    hasNoNewPrivileges: false,
  })
}

/** Why a process may not confirm a command for the human: it was started by a claude, or by an agent of any session. */
export async function detectAnyAgent({ home, workspace }: Config, pid: number): Promise<string | undefined> {
  const terminals = await openTmux(home).listTerminals()
  return explainAgent(await listAncestors(pid), {
    variableNames: agentVariableNames,
    terminals,
    hasNoNewPrivileges: await hasUnprivilegedAgents(workspace),
  })
}

// --- internal ---

/** Variables in the environment of dispatch's agents, and of every process that a claude starts. */
const agentVariableNames = ['DISPATCH_SESSION', 'DISPATCH_ROLE', 'CLAUDECODE']

/** True if a session runs agents with `no_new_privs` by a runner without it: then that flag identifies an agent. */
async function hasUnprivilegedAgents(workspace: string): Promise<boolean> {
  for (const { manifest, paths } of listSessions(workspace)) {
    const runner = readLeaseHolder(paths.runnerLease)
    if (!manifest.requiresApproval || runner === undefined || (await checkLiveness(runner)) === 'dead') continue
    if ((await listAncestors(runner.pid))[0]?.hasNoNewPrivileges === false) return true
  }
  return false
}

type ApprovalDecision = Exclude<StoredMessage, { kind: 'say' }>

/** `no_new_privs` identifies an agent only if people do not have it. A person started the runner, so it shows that. */
async function readAgentMarks(session: Session, home: string, pid: number): Promise<AgentMarks> {
  const runner = readLeaseHolder(session.paths.runnerLease)?.pid ?? process.pid
  const [own] = runner === pid ? [] : await listAncestors(runner)
  return {
    variableNames: agentVariableNames,
    terminals: await openTmux(home).listTerminals(),
    hasNoNewPrivileges: session.manifest.requiresApproval && own?.hasNoNewPrivileges === false,
  }
}

/** Read from the log: an approval that a seal has used is no longer in the status. */
function isAlreadyDecided({ session }: RunnerContext, { kind, sha256 }: ApprovalDecision): boolean {
  const last = readLog(session.paths.events).events.findLast(event => approvalEvents.has(event.type))
  return last?.type === (kind === 'approve' ? 'contract.approved' : 'contract.declined') && last.sha256 === sha256
}

const approvalEvents = new Set<Event['type']>(['approval.requested', 'contract.approved', 'contract.declined'])

/** The sender must be alive, have the message's file open and not be an agent's process. For a decision it needs a terminal too. */
async function explainNotHuman(
  { session, config }: RunnerContext,
  { kind, id, sender }: StoredMessage,
): Promise<string | undefined> {
  if ((await checkLiveness(sender)) !== 'alive') return 'its sender ended before the message was read'
  const file = getMessageFile(session.paths, id)
  // The sender opens the file only after writing it.
  for (let attempt = 0; attempt < OPEN_ATTEMPTS && hasFileOpen(sender.pid, file) === false; attempt++)
    await new Promise(resolve => setTimeout(resolve, OPEN_RETRY_MS))
  if (hasFileOpen(sender.pid, file) === false) return 'it was sent by another process than it names'
  if (kind === 'say') return formatRefusal('speak for the human', await detectAgentMark(sender.pid))
  const [own] = await listAncestors(sender.pid)
  if (own?.terminal === undefined) return 'its sender has no terminal'
  return formatRefusal('approve', await detectAgent(session, config.home, sender.pid))
}

const OPEN_ATTEMPTS = 20
const OPEN_RETRY_MS = 100

function formatRefusal(action: string, evidence: string | undefined): string | undefined {
  return evidence === undefined ? undefined : `an agent cannot ${action}: ${evidence}`
}

/** A decision is for one text: the last one asked about, in place of the sealed one, and still unchanged in contract.md. */
function explainStaleApproval(context: RunnerContext, { kind, sha256 }: ApprovalDecision): string | undefined {
  const { session, status } = context
  if (status.contract?.sha256 === sha256) return 'exactly this contract is already sealed'
  if (status.approval?.sha256 !== sha256 || status.approval.state !== 'asked')
    return 'the contract that waits for approval is not the one you were shown: it was changed meanwhile. Run approve again'
  if (kind === 'approve' && status.approval.previousSha256 !== status.contract?.sha256)
    return 'another contract has been sealed since you were asked. Wait until you are asked again, or send it back with --no'
  if (readContractForApproval(session.paths, sha256) === undefined)
    return "the text that you were shown was changed in the session's folder"
  if (kind === 'approve' && computeSha256(readDraft(context) ?? '') !== sha256)
    return 'the orchestrator has changed contract.md since you were asked. Wait until you are asked again, or send it back with --no'
  return undefined
}
