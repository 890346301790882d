import { exits, oneLine, writeAtomic } from '../host/index.ts'
import { type Change, changesIn } from '../session/index.ts'
import { type Drafted, refuseContract, tryContract } from './draft.ts'
import { recordCheck } from './evidence.ts'
import { askedFile, hashOf } from './human.ts'
import { type Reply, type Running, refuse } from './running.ts'
import { keepContract, layContract, sealedContract, sealOf } from './seal.ts'

/**
 * `contract amend "why"`: make the contract.md on the desk the next version of the sealed one. One that is as strict as before
 * counts at once. One that asks for less, in whatever way, is a dilution: it counts only when a human has said yes to it.
 */
export async function amendContract(running: Running, why: string): Promise<Reply> {
  const refused = tooLate(running)
  if (refused) return refused
  if (why === '') return refuse('usage: contract amend "why it must change"')
  const version = (running.status.contract?.version ?? 0) + 1
  const drafted = await tryContract(running, version)
  if (!drafted.ok) return refuseContract(running, drafted.text)
  const sealed = sealedContract(running)
  const changes = changesIn(sealed, { ...drafted.contract, title: sealed.title }) // A title is nothing to judge anew.
  if (changes.length === 0) return { exit: 0, text: 'Nothing that counts has changed; the sealed contract stands.' }
  const waits = undecided(running, drafted, changes, why)
  if (waits) return waits
  keepContract(running, drafted, version)
  const words = (some: Change[]) => some.map(({ what }) => oneLine(what, 300)).slice(0, 100)
  running.record({
    is: 'contract.amended',
    version,
    ...sealOf(drafted),
    changes: words(changes),
    dilutions: words(changes.filter(({ isWeaker }) => isWeaker)),
  })
  layContract(running, drafted)
  for (const record of drafted.evidence) recordCheck(running, record)
  return { exit: 0, text: `The contract is amended; this is version ${version}:\n${listed(changes)}` }
}

function tooLate({ status }: Running): Reply | undefined {
  const { contract, verdict, phase, workers } = status
  if (!contract) return refuse('No contract is sealed yet, so there is nothing to amend: edit contract.md as you like.')
  if (verdict?.final && phase === verdict.verdict)
    return {
      exit: exits.conflict,
      text: `There is a verdict already: ${verdict.verdict}. It stands on the contract as it is.`,
    }
  const busy = workers.filter(({ endedAt }) => endedAt === undefined)
  if (busy.length > 0)
    return refuse(
      `Still at work: ${busy.map(({ name }) => name).join(', ')}. They work by the contract as it is; run wait-workers first.`,
    )
  return undefined
}

/**
 * Why it has to wait for the human, who is asked; nothing when they have said yes to exactly this text in place of the sealed one,
 * or need not be asked.
 */
function undecided(running: Running, { text }: Drafted, changes: Change[], why: string): Reply | undefined {
  const { session, status } = running
  const dilutions = changes.filter(({ isWeaker }) => isWeaker).map(({ what }) => oneLine(what, 300))
  if (dilutions.length === 0 && !session.opening.approve) return undefined
  const sha256 = hashOf(text)
  const { contract, phase } = status
  const approval = status.approval?.sha256 === sha256 ? status.approval : undefined
  if (approval?.is === 'given' && approval.from === contract?.sha256) return undefined
  if (approval?.is === 'declined')
    return { exit: exits.conflict, text: 'The human has said no to exactly this. The sealed contract stands.' }
  if (approval?.from !== contract?.sha256 || phase !== 'asking') {
    writeAtomic(askedFile(session.paths, sha256), text, 0o400)
    const from = contract ? { from: contract.sha256 } : {}
    running.record({
      is: 'approval.asked',
      sha256,
      ...from,
      dilutions: dilutions.slice(0, 100),
      why: oneLine(why, 400),
    })
  }
  const cause =
    dilutions.length > 0 ? 'This asks for less than what was sealed' : 'The human approves every version here'
  return {
    exit: exits.conflict,
    text: `${cause}, so it waits for the human. Until they say yes, the sealed contract counts:\n${listed(changes)}\nEnd your turn now; their answer will be your next message. Leave contract.md as it is.`,
  }
}

function listed(changes: Change[]): string {
  return changes.map(({ what, isWeaker }) => `- ${isWeaker ? 'weaker: ' : ''}${oneLine(what, 300)}`).join('\n')
}
