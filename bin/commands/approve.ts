import fs from 'node:fs'
import {
  type Config,
  DispatchError,
  exits,
  printable,
  readConfig,
  readIfPresent,
  unreachable,
} from '../../host/index.ts'
import { agentAt, askedContract, askedFile, type Said } from '../../runner/index.ts'
import {
  awaitsApproval,
  findSession,
  type ProofOf,
  parseContract,
  readEvidence,
  readLog,
  refuseNewer,
  type Session,
  sentencesOf,
  statusOf,
  uncovered,
} from '../../session/index.ts'
import { defineCommand } from '../command.ts'
import { atTerminal, confirmId } from '../confirm.ts'
import { paintHunks } from '../diff.ts'
import { plainText, tell } from '../tell.ts'
import { paint, print, title } from '../terminal.ts'

export const command = defineCommand({
  about: `
Shows the contract that waits for your yes, clause by clause with what each check shows before any work, and what has changed
since you were last asked. A session begun with --approve seals nothing before that. Any session asks when its orchestrator
wants to amend a sealed contract so that it asks for less: then the change is shown first, and until you say yes the sealed
contract counts. You say yes with the last four letters of the id. Only a person at a terminal of their own can do this.
`,
  options: {
    no: { type: 'string', value: 'REASON', about: 'send it back to the orchestrator, with your reason' },
  },
  async run(values, [named = '']) {
    const config = readConfig()
    const session = findSession(config.workspace, named)
    refuseNewer(session)
    await refuseAgents(session, config)
    const sha256 = waiting(session)
    const declined = values.no === undefined ? undefined : plainText(Buffer.from(values.no)).trim()
    if (declined === '') throw new DispatchError('--no needs your reason', { exit: exits.usage })
    if (declined === undefined) {
      show(session, sha256)
      if (!(await confirmId(session, '\nApprove exactly this contract?'))) return refusedToApprove()
    }
    const said: Said = declined === undefined ? { is: 'approve', sha256 } : { is: 'decline', sha256, why: declined }
    print(await tell(session, config, said, 30))
    return exits.ok
  },
})

/** The contract that waits for a yes; exit 5 when none does. */
function waiting({ id, paths, opening }: Session): string {
  const status = statusOf(readLog(paths.events).events)
  const { approval, contract } = status
  if (approval && awaitsApproval(status)) return approval.sha256
  const why =
    approval?.is === 'given'
      ? 'its contract is approved already'
      : approval?.is === 'asked'
        ? 'its orchestrator has gone on, and will ask anew'
        : contract
          ? 'its contract is sealed already'
          : !opening.approve
            ? 'it was begun without --approve'
            : 'its orchestrator has not asked for it yet'
  throw new DispatchError(`session ${id} waits for no approval: ${why}`, { exit: exits.conflict })
}

/** The runner looks again by itself; here it is only said sooner, and plainly. */
async function refuseAgents(session: Session, config: Config): Promise<void> {
  const sign = await agentAt(session, config.home, process.pid)
  if (sign !== undefined)
    throw new DispatchError(`an agent cannot approve: ${sign}`, {
      exit: exits.conflict,
      remedy: 'Run it yourself, in a terminal that no agent has opened.',
    })
  if (!atTerminal())
    throw new DispatchError('approving needs a person at a terminal, on standard input and on standard output', {
      exit: exits.conflict,
      remedy: `Run it yourself: dispatch approve ${session.id.slice(-4)}`,
    })
}

function refusedToApprove(): number {
  print('Not approved; everything is as it was. To send it back with your reason: dispatch approve <sid> --no "…"')
  return exits.conflict
}

function show(session: Session, sha256: string): void {
  const { paths, opening } = session
  const text = askedContract(paths, sha256)
  if (text === undefined)
    throw new DispatchError(`${askedFile(paths, sha256)} is not the text you are asked to approve`, {
      exit: exits.integrity,
      remedy: 'Somebody has changed or removed it. Send it back with --no, and it is asked about anew.',
    })
  const { contract } = parseContract(text, { judgedOnly: true })
  print(`${title(session.id)}  ${printable(opening.task.title)}`)
  print(`\n${paint('bold', printable(contract.title))}  ${paint('dim', `sha256 ${sha256.slice(0, 12)}`)}`)
  const evidence = readEvidence(paths)
  for (const { id, sentence, covers, proof } of contract.clauses) {
    const before = evidence.find(
      record =>
        record.side === 'base' && record.clause === id && proof.is === 'check' && record.command === proof.command,
    )
    print(
      `\n  ${paint('bold', id)}  ${printable(sentence)}${covers.length > 0 ? paint('dim', `  (${covers.join(', ')})`) : ''}`,
    )
    for (const line of proofLines(proof)) print(`      ${printable(line)}`)
    if (before)
      print(paint('dim', `      before the work: ${before.outcome}${before.why ? ` (${printable(before.why)})` : ''}`))
  }
  const left = uncovered(contract, sentencesOf(fs.readFileSync(paths.task, 'utf8')))
  for (const { sentence, why } of contract.leftOut)
    print(paint('yellow', `\n  left out     ${printable(`${sentence}: ${why}`)}`))
  for (const sentence of left) print(paint('yellow', `\n  not covered  ${printable(sentence)}`))
  showChanges(session, sha256, text)
  print(paint('dim', `\n  ${askedFile(paths, sha256)}`))
  showDilutions(session)
}

/** Last, so that it stands right above the question. */
function showDilutions({ paths }: Session): void {
  const { approval } = statusOf(readLog(paths.events).events)
  if (!approval || approval.why === '') return
  print(`\n${paint('bold', 'Why it is to be amended:')} ${printable(approval.why)}`)
  if (approval.dilutions.length === 0) return
  print(paint('red', 'It would ask for less than what was sealed:'))
  for (const dilution of approval.dilutions) print(paint('red', `  - ${printable(dilution)}`))
}

function proofLines(proof: ProofOf): string[] {
  switch (proof.is) {
    case 'check': {
      const { exit, contains, matches, equals } = proof.expect
      return [
        `${proof.guard ? 'guard' : 'check'}  ${proof.command}`,
        `expect exit ${exit}`,
        ...contains.map(words => `expect output contains ${JSON.stringify(words)}`),
        ...matches.map(pattern => `expect output matches /${pattern}/`),
        ...(equals === undefined ? [] : [`expect output equals ${JSON.stringify(equals)}`]),
        ...(proof.limitSeconds === undefined ? [] : [`limit ${proof.limitSeconds} s`]),
        ...(proof.pins === undefined ? [] : [`pins   ${proof.pins.join(' ')}`]),
      ]
    }
    case 'judged':
      return ['judged: no command shows it']
    case 'scope':
      return [`scope  ${proof.globs.join(' ')}`]
    default:
      return unreachable(proof)
  }
}

/** What is different from the sealed contract, or before the seal from the text that was asked about before. */
function showChanges({ paths }: Session, sha256: string, text: string): void {
  const { events } = readLog(paths.events)
  const asked = events.flatMap(event => (event.is === 'approval.asked' ? [event.sha256] : []))
  const earlier = asked.findLast(other => other !== sha256)
  const isSealed = statusOf(events).contract !== undefined
  const before = isSealed ? (readIfPresent(paths.contract) ?? '') : earlier && askedContract(paths, earlier)
  if (before === undefined) return
  print(`\n${paint('bold', isSealed ? 'Changed from the sealed contract' : 'Changed since you were last asked')}`)
  for (const line of paintHunks(before, text)) print(`  ${line}`)
}
