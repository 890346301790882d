import { setTimeout as sleep } from 'node:timers/promises'
import { exitCodes } from '#host/error.ts'
import { writeAtomic } from '#host/fs'
import { sha256 as computeSha256 } from '#host/hash.ts'
import { checkLiveness, hasFileOpen, listAncestors } from '#host/process'
import { readLog } from '#session/log'
import { type CommandReply, type RunnerContext, refuse } from '../context.ts'
import {
  getApprovalFile,
  getMessageFile,
  readContractForApproval,
  readPasteOffset,
  type StoredMessage,
} from '../messages/store.ts'
import { detectAgent, detectAgentMark } from './detect-agent.ts'
import { readDraft } from './draft.ts'

/**
 * Ask the human, once, to approve this text in place of the contract in force. A copy of the text is kept where no agent can write.
 * Returns true once they have approved exactly this.
 */
export function requestApproval(
  context: RunnerContext,
  text: string,
  amendment?: { dilutions: string[]; reason: string },
): boolean {
  const { contract, approval, phase } = context.status
  const sha256 = computeSha256(text)
  const isKnown = approval?.sha256 === sha256 && approval.previousSha256 === contract?.sha256
  if (isKnown && approval.state === 'given') return true
  if (isKnown && approval.state === 'asked' && phase === 'asking') return false
  writeAtomic(getApprovalFile(context.session.paths, sha256), text, 0o400)
  const previous = contract && { previousSha256: contract.sha256 }
  context.record({ type: 'approval.requested', sha256, ...previous, ...amendment })
  return false
}

/**
 * Decide whether a message may be typed: its sender must be a living process that is not an agent's. An approval or a refusal is
 * recorded here, once, and only for the text that was shown. Returns why not, or undefined.
 */
export async function authorizeMessage(
  context: RunnerContext,
  message: StoredMessage,
): Promise<CommandReply | undefined> {
  if (readPasteOffset(context.session.paths, message.id) !== undefined) return undefined // It was authorized before it was pasted.
  const decision = message.kind === 'approve' || message.kind === 'decline' ? message : undefined
  if (decision && isAlreadyDecided(context, decision)) return undefined // That runner died before it could reply.
  const objection = (await explainNotHuman(context, message)) ?? (decision && explainStaleApproval(context, decision))
  if (objection !== undefined) return refuse(objection, exitCodes.conflict)
  if (decision)
    context.record({ type: decisionEvents[decision.kind], sha256: decision.sha256, actor: decision.sender.name })
  return undefined
}

// --- internal ---

type ApprovalDecision = Extract<StoredMessage, { kind: 'approve' | 'decline' }>

const decisionEvents = { approve: 'contract.approved', decline: 'contract.declined' } as const

/** Read from the log: an approval that a seal has used is no longer in the status. */
function isAlreadyDecided({ session }: RunnerContext, { kind, sha256 }: ApprovalDecision): boolean {
  const last = readLog(session.paths.events).events.findLast(
    ({ type }) => type === 'approval.requested' || Object.values<string>(decisionEvents).includes(type),
  )
  return last?.type === decisionEvents[kind] && last.sha256 === sha256
}

/** The sender must be alive, have the message's file open and not be an agent's process. For a decision it needs a terminal too. */
async function explainNotHuman(
  { session, config }: RunnerContext,
  { kind, id, sender }: StoredMessage,
): Promise<string | undefined> {
  if ((await checkLiveness(sender)) !== 'alive') return 'its sender ended before the message was read'
  const file = getMessageFile(session.paths, id)
  // The sender opens the file only after writing it.
  for (let attempt = 0; attempt < OPEN_ATTEMPTS && hasFileOpen(sender.pid, file) === false; attempt++)
    await sleep(OPEN_RETRY_MS)
  if (hasFileOpen(sender.pid, file) === false) return 'it was sent by another process than it names'
  const isDecision = kind === 'approve' || kind === 'decline'
  if (isDecision && (await listAncestors(sender.pid))[0]?.terminal === undefined) return 'its sender has no terminal'
  const [action, mark] = isDecision
    ? ['approve', await detectAgent(session, config.home, sender.pid)]
    : ['speak for the human', await detectAgentMark(sender.pid)]
  return mark === undefined ? undefined : `an agent cannot ${action}: ${mark}`
}

const OPEN_ATTEMPTS = 20
const OPEN_RETRY_MS = 100

/** A decision is for one text: the last one asked about, in place of the sealed one, and still unchanged in contract.md. */
function explainStaleApproval(context: RunnerContext, { kind, sha256 }: ApprovalDecision): string | undefined {
  const { session, status } = context
  if (status.contract?.sha256 === sha256) return 'exactly this contract is already sealed'
  if (status.approval?.sha256 !== sha256 || status.approval.state !== 'asked')
    return `the contract that waits for approval is not the one you were shown: it was changed meanwhile. To see it: dispatch approve ${session.id.slice(-4)}`
  if (kind === 'approve' && status.approval.previousSha256 !== status.contract?.sha256)
    return 'another contract has been sealed since you were asked. Wait until you are asked again, or send it back with --no'
  if (readContractForApproval(session.paths, sha256) === undefined)
    return "the text that you were shown was changed in the session's folder"
  if (kind === 'approve' && computeSha256(readDraft(context) ?? '') !== sha256)
    return 'the orchestrator has changed contract.md since you were asked. Wait until you are asked again, or send it back with --no'
  return undefined
}
