import {
  type AgentMarks,
  agentSign,
  type Config,
  exits,
  hasOpen,
  lineageOf,
  liveness,
  tmuxOf,
  writeAtomic,
} from '../host/index.ts'
import { type Event, holder, listSessions, readLog, type Session } from '../session/index.ts'
import { draftOf } from './draft.ts'
import { askedContract, askedFile, hashOf, type LeftWord, pastedAt, wordFile } from './human.ts'
import type { Reply, Running } from './running.ts'

/**
 * With `--approve`: answer why this draft may not be sealed yet, or nothing when a human has said yes to exactly this text.
 * The text asked about is kept as it is now, outside of the agents' places.
 */
export function unapproved(running: Running, text: string): Reply | undefined {
  const { session, status } = running
  if (!session.opening.approve) return undefined
  const sha256 = hashOf(text)
  const { approval, phase } = status
  if (approval?.sha256 === sha256 && approval.is === 'given') return undefined
  if (approval?.sha256 !== sha256 || approval.is !== 'asked' || phase !== 'asking') {
    writeAtomic(askedFile(session.paths, sha256), text, 0o400)
    running.record({ is: 'approval.asked', sha256 })
  }
  return {
    exit: exits.conflict,
    text: 'The contract is ready, and waits for the human to approve it. Nothing was started. End your turn now; their answer will be your next message. Leave contract.md as it is: another text is asked about anew.',
  }
}

/**
 * May this word be typed? A word counts only from a living process that is no agent's; a yes or a no is carried out here,
 * once, and only for the text that was shown. Answers why not, or nothing.
 */
export async function decide(running: Running, word: LeftWord): Promise<Reply | undefined> {
  if (pastedAt(running.session.paths, word.id) !== undefined) return undefined // It was looked at before it was typed.
  if (word.is !== 'say' && isDone(running, word)) return undefined // By a runner that died before it could tell.
  const stranger = await noPerson(running, word)
  if (stranger !== undefined) return { exit: exits.conflict, text: stranger }
  if (word.is === 'say') return undefined
  const refused = stale(running, word)
  if (refused !== undefined) return { exit: exits.conflict, text: refused }
  const { sha256, by } = word
  running.record({ is: word.is === 'approve' ? 'contract.approved' : 'contract.declined', sha256, by: by.name })
  return undefined
}

/** Why this process may not speak for the human; the door asks it of itself, the runner of the door. */
export async function agentAt(session: Session, home: string, pid: number): Promise<string | undefined> {
  return agentSign(await lineageOf(pid), await marksOf(session, home, pid))
}

/** Why a process may not even say something: it carries the mark of an agent of ours. */
export async function agentSays(pid: number): Promise<string | undefined> {
  return agentSign(await lineageOf(pid), { names: ['DISPATCH_SESSION', 'DISPATCH_ROLE'], terminals: [], bound: false })
}

/** Why this process may not say yes to commands of the human's: it stems from some claude, or an agent of any session. */
export async function agentAnywhere({ home, workspace }: Config, pid: number): Promise<string | undefined> {
  const terminals = await tmuxOf(home).terminals()
  return agentSign(await lineageOf(pid), { names: agentNames, terminals, bound: await someAreBound(workspace) })
}

// --- internal ---

/** What stands in the environment of our agents, and of whatever any claude starts. */
const agentNames = ['DISPATCH_SESSION', 'DISPATCH_ROLE', 'CLAUDECODE']

/** Is there an open session whose agents are bound by the kernel, and whose runner is not? */
async function someAreBound(workspace: string): Promise<boolean> {
  for (const { opening, paths } of listSessions(workspace)) {
    const runner = holder(paths.runner)
    if (!opening.approve || runner === undefined || (await liveness(runner)) === 'dead') continue
    if ((await lineageOf(runner.pid))[0]?.bound === false) return true
  }
  return false
}

/** A yes or a no. */
type Ruling = Exclude<LeftWord, { is: 'say' }>

/** The kernel's mark tells an agent only where people do not bear it: the runner stems from a person, as the door does. */
async function marksOf(session: Session, home: string, pid: number): Promise<AgentMarks> {
  const runner = holder(session.paths.runner)?.pid ?? process.pid
  const [ours] = runner === pid ? [] : await lineageOf(runner)
  return {
    names: agentNames,
    terminals: await tmuxOf(home).terminals(),
    bound: session.opening.approve && ours?.bound === false,
  }
}

/** By the log: a yes that the seal has used up is no longer in the status. */
function isDone({ session }: Running, { is, sha256 }: Ruling): boolean {
  const last = readLog(session.paths.events).events.findLast(event => approvals.has(event.is))
  return last?.is === (is === 'approve' ? 'contract.approved' : 'contract.declined') && last.sha256 === sha256
}

const approvals = new Set<Event['is']>(['approval.asked', 'contract.approved', 'contract.declined'])

/** A word must come from a process that lives, has its file open and stems from no agent; a yes or no, from a terminal too. */
async function noPerson({ session, config }: Running, { is, id, by }: LeftWord): Promise<string | undefined> {
  if ((await liveness(by)) !== 'alive') return 'whoever said so has gone away before it was taken up'
  const file = wordFile(session.paths, id)
  for (let tries = 0; tries < 20 && hasOpen(by.pid, file) === false; tries++)
    await new Promise(resolve => setTimeout(resolve, 100)) // It opens the file only after it has left it.
  if (hasOpen(by.pid, file) === false) return 'it was left by another process than it says'
  if (is === 'say') return refusal('speak for the human', await agentSays(by.pid))
  const [own] = await lineageOf(by.pid)
  if (own?.terminal === undefined) return 'whoever said so sits at no terminal'
  return refusal('approve', await agentAt(session, config.home, by.pid))
}

function refusal(what: string, sign: string | undefined): string | undefined {
  return sign === undefined ? undefined : `an agent cannot ${what}: ${sign}`
}

/** The yes is for one text: the one that was last asked about, in place of what is sealed now, and that still lies on the desk. */
function stale(running: Running, { is, sha256 }: Ruling): string | undefined {
  const { session, status } = running
  if (status.contract?.sha256 === sha256) return 'exactly this contract is sealed already'
  if (status.approval?.sha256 !== sha256 || status.approval.is !== 'asked')
    return 'this is not the contract that waits for your approval: it was changed after you were shown it. Look again'
  if (is === 'approve' && status.approval.from !== status.contract?.sha256)
    return 'another contract has been sealed since you were asked. Wait until it asks anew, or send it back with --no'
  if (askedContract(session.paths, sha256) === undefined)
    return 'the text that you were shown has been changed in the folder of the session'
  if (is === 'approve' && hashOf(draftOf(running) ?? '') !== sha256)
    return 'the orchestrator has changed contract.md since it asked. Wait until it asks anew, or send it back with --no'
  return undefined
}
