import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exits, readUntrusted, writeAtomic } from '../host/index.ts'
import { type Contract, parseContract } from '../session/index.ts'
import { unapproved } from './approval.ts'
import { type Drafted, draftOf, refuseContract, tryContract } from './draft.ts'
import { recordCheck } from './evidence.ts'
import { hashOf } from './human.ts'
import type { Reply, Running } from './running.ts'

/** `contract check`: what a seal would say, without sealing. */
export async function checkContract(running: Running): Promise<Reply> {
  if (running.status.contract)
    return {
      exit: 0,
      text: `The contract is sealed (${running.status.contract.sha256.slice(0, 12)}). ${draftNote(running)}`,
    }
  const tried = await tryContract(running)
  if (!tried.ok) return refuseContract(running, tried.text)
  return {
    exit: 0,
    text: `The contract holds: ${tried.contract.clauses.length} clauses, every check red or guarded on the base.${uncoveredNote(tried.uncovered)}\nNext: spawn-worker. The first spawn ${running.session.opening.approve ? 'asks the human to approve it, and seals it then' : 'seals it'}.`,
  }
}

/** Seal the draft on the desk, or answer why it cannot be sealed. Every check runs on the base first. */
export async function sealContract(running: Running): Promise<Reply | undefined> {
  if (running.status.contract) return undefined
  const tried = await tryContract(running)
  if (!tried.ok) return refuseContract(running, tried.text)
  const waits = unapproved(running, tried.text)
  if (waits) return waits
  const { paths } = running.session
  writeAtomic(paths.plan, readUntrusted(path.join(paths.desk, 'plan.md'), 256 * 1024) ?? '')
  keepContract(running, tried, 1)
  running.record({ is: 'contract.sealed', ...sealOf(tried) })
  layContract(running, tried)
  for (const record of tried.evidence) recordCheck(running, record)
  return undefined
}

/** The version on disk first, then the event that names it, then `contract.md`, which so never holds what no event knows. */
export function keepContract({ session }: Running, { text }: Drafted, version: number): void {
  writeAtomic(session.paths.contractVersion(version), text, 0o400)
}

/** `contract.md`, which everybody reads. */
export function layContract({ session }: Running, { text }: Drafted): void {
  writeAtomic(session.paths.contract, text, 0o400)
}

/**
 * Lay the version that counts as `contract.md`, where there is none yet or the one before it: so a runner that ended between the
 * event and the file left it. Whatever else stands there is somebody's doing, and stays.
 */
export function relayContract({ session: { paths }, status: { contract } }: Pick<Running, 'session' | 'status'>): void {
  if (!contract) return
  const read = (file: string) => readUntrusted(file, largest)
  const kept = read(paths.contractVersion(contract.version))
  if (!kept || hashOf(kept) !== contract.sha256) return
  const now = read(paths.contract)
  const before = contract.version > 1 ? read(paths.contractVersion(contract.version - 1)) : undefined
  const isLeft = contract.version > 1 ? before && now?.equals(before) : !fs.existsSync(paths.contract)
  if (isLeft) writeAtomic(paths.contract, kept, 0o400)
}

/** What the log says of a version of the contract. */
export function sealOf({ text, contract, uncovered: sentences }: Drafted) {
  return {
    sha256: hashOf(text),
    clauses: contract.clauses.map(({ id, sentence, proof }) => ({
      id,
      sentence: sentence.slice(0, 400),
      proof: proof.is === 'check' && proof.guard ? ('guard' as const) : proof.is,
    })),
    uncovered: sentences.map(sentence => sentence.slice(0, 300)),
  }
}

/** The sealed contract, byte for byte as it was sealed; anything else is an integrity failure (exit 13). */
export function sealedContract(running: Running): Contract {
  const { session, status } = running
  relayContract(running)
  const text = fs.readFileSync(session.paths.contract, 'utf8')
  if (hashOf(text) !== status.contract?.sha256) {
    throw new DispatchError('contract.md is not what was sealed: somebody has changed it', { exit: exits.integrity })
  }
  return parseContract(text, { judgedOnly: true }).contract
}

function uncoveredNote(sentences: string[]): string {
  return sentences.length === 0
    ? ''
    : `\nSentences of the task that no clause covers (name them in "- covers:", or under "## Not covered"):\n${sentences.map(sentence => `  ${sentence.slice(0, 160)}`).join('\n')}`
}

function draftNote(running: Running): string {
  return draftOf(running) === fs.readFileSync(running.session.paths.contract, 'utf8')
    ? ''
    : 'The contract.md on your desk has changed since, and only the sealed one counts. `contract amend "why"` makes the change count; what asks for less waits for the human.'
}

/** More than a contract may have, in bytes. */
const largest = 256 * 1024 + 1
