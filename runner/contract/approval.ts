import type { Config } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { writeAtomic } from '#host/fs'
import { type AgentMarks, checkLiveness, explainAgent, hasFileOpen, listAncestors } from '#host/process'
import { openTmux } from '#host/tmux'
import { listSessions, type Session } from '#session'
import { readLeaseHolder } from '#session/lease'
import { type Event, readLog } from '#session/log'
import type { CommandReply, RunnerContext } from '../context.ts'
import {
  computeSha256,
  getApprovalFile,
  getMessageFile,
  readContractForApproval,
  readPasteOffset,
  type StoredMessage,
} from '../messages/store.ts'
import { readDraft } from './draft.ts'
/**
 * With `--approve`: answer why this draft may not be sealed yet, or nothing when a human has said yes to exactly this text.
 * The text asked about is kept as it is now, outside of the agents' places.
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
    exit: exitCodes.conflict,
    text: 'The contract is ready, and waits for the human to approve it. Nothing was started. End your turn now; their answer will be your next message. Leave contract.md as it is: another text is asked about anew.',
  }
}

/**
 * May this word be typed? A word counts only from a living process that is no agent's; a yes or a no is carried out here,
 * once, and only for the text that was shown. Answers why not, or nothing.
 */
export async function authorizeMessage(
  context: RunnerContext,
  message: StoredMessage,
): Promise<CommandReply | undefined> {
  if (readPasteOffset(context.session.paths, message.id) !== undefined) return undefined // It was looked at before it was typed.
  if (message.kind !== 'say' && isAlreadyDecided(context, message)) return undefined // By a runner that died before it could tell.
  const stranger = await explainNotHuman(context, message)
  if (stranger !== undefined) return { exit: exitCodes.conflict, text: stranger }
  if (message.kind === 'say') return undefined
  const refused = explainStaleApproval(context, message)
  if (refused !== undefined) return { exit: exitCodes.conflict, text: refused }
  const { sha256, sender } = message
  context.record({
    type: message.kind === 'approve' ? 'contract.approved' : 'contract.declined',
    sha256,
    actor: sender.name,
  })
  return undefined
}

/** Why this process may not speak for the human; the door asks it of itself, the runner of the door. */
export async function detectAgent(session: Session, home: string, pid: number): Promise<string | undefined> {
  return explainAgent(await listAncestors(pid), await readAgentMarks(session, home, pid))
}

/** Why a process may not even say something: it carries the mark of an agent of ours. */
export async function detectAgentMark(pid: number): Promise<string | undefined> {
  return explainAgent(await listAncestors(pid), {
    variableNames: ['DISPATCH_SESSION', 'DISPATCH_ROLE'],
    terminals: [],
    hasNoNewPrivileges: false,
  })
}

/** Why this process may not say yes to commands of the human's: it stems from some claude, or an agent of any session. */
export async function detectAnyAgent({ home, workspace }: Config, pid: number): Promise<string | undefined> {
  const terminals = await openTmux(home).listTerminals()
  return explainAgent(await listAncestors(pid), {
    variableNames: agentVariableNames,
    terminals,
    hasNoNewPrivileges: await hasBoundAgents(workspace),
  })
}

// --- internal ---

/** What stands in the environment of our agents, and of whatever any claude starts. */
const agentVariableNames = ['DISPATCH_SESSION', 'DISPATCH_ROLE', 'CLAUDECODE']

/** Is there an open session whose agents are bound by the kernel, and whose runner is not? */
async function hasBoundAgents(workspace: string): Promise<boolean> {
  for (const { manifest, paths } of listSessions(workspace)) {
    const runner = readLeaseHolder(paths.runnerLease)
    if (!manifest.requiresApproval || runner === undefined || (await checkLiveness(runner)) === 'dead') continue
    if ((await listAncestors(runner.pid))[0]?.hasNoNewPrivileges === false) return true
  }
  return false
}

/** A yes or a no. */
type ApprovalDecision = Exclude<StoredMessage, { kind: 'say' }>

/** The kernel's mark tells an agent only where people do not bear it: the runner stems from a person, as the door does. */
async function readAgentMarks(session: Session, home: string, pid: number): Promise<AgentMarks> {
  const runner = readLeaseHolder(session.paths.runnerLease)?.pid ?? process.pid
  const [ours] = runner === pid ? [] : await listAncestors(runner)
  return {
    variableNames: agentVariableNames,
    terminals: await openTmux(home).listTerminals(),
    hasNoNewPrivileges: session.manifest.requiresApproval && ours?.hasNoNewPrivileges === false,
  }
}

/** By the log: a yes that the seal has used up is no longer in the status. */
function isAlreadyDecided({ session }: RunnerContext, { kind, sha256 }: ApprovalDecision): boolean {
  const last = readLog(session.paths.events).events.findLast(event => approvals.has(event.type))
  return last?.type === (kind === 'approve' ? 'contract.approved' : 'contract.declined') && last.sha256 === sha256
}

const approvals = new Set<Event['type']>(['approval.requested', 'contract.approved', 'contract.declined'])

/** A word must come from a process that lives, has its file open and stems from no agent; a yes or no, from a terminal too. */
async function explainNotHuman(
  { session, config }: RunnerContext,
  { kind, id, sender }: StoredMessage,
): Promise<string | undefined> {
  if ((await checkLiveness(sender)) !== 'alive') return 'whoever said so has gone away before it was taken up'
  const file = getMessageFile(session.paths, id)
  for (let tries = 0; tries < 20 && hasFileOpen(sender.pid, file) === false; tries++)
    await new Promise(resolve => setTimeout(resolve, 100)) // It opens the file only after it has left it.
  if (hasFileOpen(sender.pid, file) === false) return 'it was left by another process than it says'
  if (kind === 'say') return formatRefusal('speak for the human', await detectAgentMark(sender.pid))
  const [own] = await listAncestors(sender.pid)
  if (own?.terminal === undefined) return 'whoever said so sits at no terminal'
  return formatRefusal('approve', await detectAgent(session, config.home, sender.pid))
}

function formatRefusal(what: string, sign: string | undefined): string | undefined {
  return sign === undefined ? undefined : `an agent cannot ${what}: ${sign}`
}

/** The yes is for one text: the one that was last asked about, in place of what is sealed now, and that still lies on the desk. */
function explainStaleApproval(context: RunnerContext, { kind, sha256 }: ApprovalDecision): string | undefined {
  const { session, status } = context
  if (status.contract?.sha256 === sha256) return 'exactly this contract is sealed already'
  if (status.approval?.sha256 !== sha256 || status.approval.state !== 'asked')
    return 'this is not the contract that waits for your approval: it was changed after you were shown it. Look again'
  if (kind === 'approve' && status.approval.previousSha256 !== status.contract?.sha256)
    return 'another contract has been sealed since you were asked. Wait until it asks anew, or send it back with --no'
  if (readContractForApproval(session.paths, sha256) === undefined)
    return 'the text that you were shown has been changed in the folder of the session'
  if (kind === 'approve' && computeSha256(readDraft(context) ?? '') !== sha256)
    return 'the orchestrator has changed contract.md since it asked. Wait until it asks anew, or send it back with --no'
  return undefined
}
