import fs from 'node:fs'
import { type Config, readConfig } from '#host/config'
import { DispatchError, exitCodes, unreachable } from '#host/error.ts'
import { readIfPresent } from '#host/fs'
import { sanitize } from '#host/text.ts'
import { detectAgent, getApprovalFile, type MessageContent, readContractForApproval } from '#runner'
import { findSession, refuseNewerFormat, type Session } from '#session'
import { type ClauseProof, listUncoveredSentences, parseContract, splitSentences } from '#session/contract'
import { readEvidence } from '#session/evidence'
import { readLog } from '#session/log'
import { computeStatus, isAwaitingApproval } from '#session/status'
import { defineCommand } from '../command.ts'
import { confirmSessionId, isAtTerminal } from '../input/confirm.ts'
import { parsePlainText, sendMessage } from '../input/send-message.ts'
import { paintHunks } from '../output/diff.ts'
import { formatTitle, paint, print } from '../output/terminal.ts'
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
    refuseNewerFormat(session)
    await refuseAgents(session, config)
    const sha256 = findWaitingContract(session)
    const declined = values.no === undefined ? undefined : parsePlainText(Buffer.from(values.no)).trim()
    if (declined === '') throw new DispatchError('--no needs your reason', { exitCode: exitCodes.usage })
    if (declined === undefined) {
      printContract(session, sha256)
      if (!(await confirmSessionId(session, '\nApprove exactly this contract?'))) return exitDeclined()
    }
    const said: MessageContent =
      declined === undefined ? { kind: 'approve', sha256 } : { kind: 'decline', sha256, reason: declined }
    print(await sendMessage(session, config, said, 30))
    return exitCodes.ok
  },
})

/** The contract that waits for a yes; exit 5 when none does. */
function findWaitingContract({ id, paths, manifest }: Session): string {
  const status = computeStatus(readLog(paths.events).events)
  const { approval, contract } = status
  if (approval && isAwaitingApproval(status)) return approval.sha256
  const why =
    approval?.state === 'given'
      ? 'its contract is approved already'
      : approval?.state === 'asked'
        ? 'its orchestrator has gone on, and will ask anew'
        : contract
          ? 'its contract is sealed already'
          : !manifest.requiresApproval
            ? 'it was begun without --approve'
            : 'its orchestrator has not asked for it yet'
  throw new DispatchError(`session ${id} waits for no approval: ${why}`, { exitCode: exitCodes.conflict })
}

/** The runner looks again by itself; here it is only said sooner, and plainly. */
async function refuseAgents(session: Session, config: Config): Promise<void> {
  const sign = await detectAgent(session, config.home, process.pid)
  if (sign !== undefined)
    throw new DispatchError(`an agent cannot approve: ${sign}`, {
      exitCode: exitCodes.conflict,
      remedy: 'Run it yourself, in a terminal that no agent has opened.',
    })
  if (!isAtTerminal())
    throw new DispatchError('approving needs a person at a terminal, on standard input and on standard output', {
      exitCode: exitCodes.conflict,
      remedy: `Run it yourself: dispatch approve ${session.id.slice(-4)}`,
    })
}

function exitDeclined(): number {
  print('Not approved; everything is as it was. To send it back with your reason: dispatch approve <sid> --no "…"')
  return exitCodes.conflict
}

function printContract(session: Session, sha256: string): void {
  const { paths, manifest } = session
  const text = readContractForApproval(paths, sha256)
  if (text === undefined)
    throw new DispatchError(`${getApprovalFile(paths, sha256)} is not the text you are asked to approve`, {
      exitCode: exitCodes.integrity,
      remedy: 'Somebody has changed or removed it. Send it back with --no, and it is asked about anew.',
    })
  const { contract } = parseContract(text, { allowsJudgedOnly: true })
  print(`${formatTitle(session.id)}  ${sanitize(manifest.task.title)}`)
  print(`\n${paint('bold', sanitize(contract.title))}  ${paint('dim', `sha256 ${sha256.slice(0, 12)}`)}`)
  const evidence = readEvidence(paths)
  for (const { id, sentence, covers, proof } of contract.clauses) {
    const before = evidence.find(
      record =>
        record.side === 'base' && record.clauseId === id && proof.kind === 'check' && record.command === proof.command,
    )
    print(
      `\n  ${paint('bold', id)}  ${sanitize(sentence)}${covers.length > 0 ? paint('dim', `  (${covers.join(', ')})`) : ''}`,
    )
    for (const line of formatClauseTest(proof)) print(`      ${sanitize(line)}`)
    if (before)
      print(
        paint('dim', `      before the work: ${before.outcome}${before.reason ? ` (${sanitize(before.reason)})` : ''}`),
      )
  }
  const left = listUncoveredSentences(contract, splitSentences(fs.readFileSync(paths.task, 'utf8')))
  for (const { sentenceId, reason } of contract.exclusions)
    print(paint('yellow', `\n  left out     ${sanitize(`${sentenceId}: ${reason}`)}`))
  for (const sentence of left) print(paint('yellow', `\n  not covered  ${sanitize(sentence)}`))
  printChanges(session, sha256, text)
  print(paint('dim', `\n  ${getApprovalFile(paths, sha256)}`))
  printDilutions(session)
}

/** Last, so that it stands right above the question. */
function printDilutions({ paths }: Session): void {
  const { approval } = computeStatus(readLog(paths.events).events)
  if (!approval || approval.reason === '') return
  print(`\n${paint('bold', 'Why it is to be amended:')} ${sanitize(approval.reason)}`)
  if (approval.dilutions.length === 0) return
  print(paint('red', 'It would ask for less than what was sealed:'))
  for (const dilution of approval.dilutions) print(paint('red', `  - ${sanitize(dilution)}`))
}

function formatClauseTest(proof: ClauseProof): string[] {
  switch (proof.kind) {
    case 'check': {
      const { exitCode, outputContains, outputMatches, outputEquals } = proof.expectation
      return [
        `${proof.isGuard ? 'guard' : 'check'}  ${proof.command}`,
        `expect exit ${exitCode}`,
        ...outputContains.map(words => `expect output contains ${JSON.stringify(words)}`),
        ...outputMatches.map(pattern => `expect output matches /${pattern}/`),
        ...(outputEquals === undefined ? [] : [`expect output equals ${JSON.stringify(outputEquals)}`]),
        ...(proof.timeoutSeconds === undefined ? [] : [`limit ${proof.timeoutSeconds} s`]),
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
function printChanges({ paths }: Session, sha256: string, text: string): void {
  const { events } = readLog(paths.events)
  const asked = events.flatMap(event => (event.type === 'approval.requested' ? [event.sha256] : []))
  const earlier = asked.findLast(other => other !== sha256)
  const isSealed = computeStatus(events).contract !== undefined
  const before = isSealed ? (readIfPresent(paths.contract) ?? '') : earlier && readContractForApproval(paths, earlier)
  if (before === undefined) return
  print(`\n${paint('bold', isSealed ? 'Changed from the sealed contract' : 'Changed since you were last asked')}`)
  for (const line of paintHunks(before, text)) print(`  ${line}`)
}
