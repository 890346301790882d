import { formatCount, toOneLine } from '#host/text.ts'
import { type AuditPart, type AuditProblem, type AuditReport, auditParts } from '#session/audit'
import { formatLogAnchor } from '#session/log'
import { type DoctorResult, fail, ok, printResults, warn } from '../doctor/result.ts'
import { formatTitle, paint, print } from './terminal.ts'

/** Every part of the record with its problems, then the result. */
export function printAudit(report: AuditReport): void {
  const { id, folder, eventCount, head, verdictHead, isSound, hasEnded, phase, problems } = report
  print(`${formatTitle(id)}  ${paint('dim', folder)}`)
  printResults(auditParts.flatMap(part => toResults(part, problems)))
  const damages = problems.filter(({ isDamage }) => isDamage)
  print()
  print(isSound ? paint('green', 'sound') : paint('red', `DAMAGED: ${formatCount(damages.length, 'problem')}`))
  if (!hasEnded) print(`the session has not ended (${phase}): audited up to now`)
  if (verdictHead !== null)
    print(`anchor ${formatLogAnchor(verdictHead)}  at the verdict; compare it with the notification on your phone`)
  print(paint('dim', `head   ${head ?? 'none'}  after ${formatCount(eventCount, 'event')}`))
}

// --- internal ---

const MAX_PROBLEM_CHARS = 400

const passedTexts: Record<AuditPart, string> = {
  log: 'every event names the hash of the one before it',
  manifest: 'task and settings match the start of the session',
  seal: 'the contract is the one that was sealed',
  evidence: 'every evidence file matches the log',
  packet: 'the packet is the one that the judge got',
  verdict: 'the verdict is the recorded one, and its gates allow it',
  landing: 'nothing was pushed that had not been checked',
  'pull request': 'what a pull request shows was recorded before it was pushed',
  worktree: 'outputs/ is what was judged, and the repository is complete',
  index: 'HEAD and index in outputs/ match what was judged',
}

/** One line for a part without damage, else one for each damage with its consequence; then the notes. */
function toResults(part: AuditPart, problems: AuditProblem[]): DoctorResult[] {
  const format = ({ file, message }: AuditProblem) => toOneLine(`${file}: ${message}`, MAX_PROBLEM_CHARS)
  const own = problems.filter(problem => problem.part === part)
  const notes = own.filter(({ isDamage }) => !isDamage).map(problem => warn(part, format(problem)))
  const damages = own.filter(({ isDamage }) => isDamage).map(each => fail(part, format(each), each.consequence))
  return [...(damages.length > 0 ? damages : [ok(part, passedTexts[part])]), ...notes]
}
