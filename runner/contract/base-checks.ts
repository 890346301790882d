import { readUntrusted } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import { parseJson } from '#host/json.ts'
import type { Contract, ContractProblem } from '#session/contract'
import { EvidenceRecord } from '#session/evidence'
import { readLog } from '#session/log'
import { type Commit, listCommitFiles } from '#session/repository'
import { getEvidence, recordCheck } from '../checks/check-cache.ts'
import { type CheckClause, isCheckClause } from '../checks/run-check.ts'
import type { RunnerContext } from '../context.ts'

/** Run a check on the base, for this version of the contract. */
export function runCheckOnBase(context: RunnerContext, clause: CheckClause, version: number): Promise<EvidenceRecord> {
  const id = formatBaseEvidenceId(version, clause.id)
  return getEvidence(context, clause, { id, side: 'base', round: 0, commit: getBaseCommit(context) })
}

/**
 * Record the result on the base of every check that the log lacks: a runner that died right after a seal has not recorded them.
 * The result is the same as at the seal, or the clause is not proved.
 */
export async function completeBaseEvidence(context: RunnerContext, contract: Contract): Promise<void> {
  const version = context.status.contract?.version ?? 1
  const { events } = readLog(context.session.paths.events)
  const recorded = new Set(
    events.flatMap(event => (event.type === 'check.ran' && event.outcome !== 'could not run' ? [event.recordId] : [])),
  )
  for (const clause of contract.clauses.filter(isCheckClause))
    if (!recorded.has(formatBaseEvidenceId(version, clause.id)))
      recordCheck(context, await runCheckOnBase(context, clause, version))
}

/**
 * What the checks of the version in force showed on the base: the records that the log names by their hash. A draft and a declined
 * amendment leave records too, and an agent may add one.
 */
export function readBaseEvidence({ session, status }: RunnerContext, contract: Contract): EvidenceRecord[] {
  const { paths } = session
  const hashes = new Map(
    readLog(paths.events).events.flatMap(event =>
      event.type === 'check.ran' ? [[event.recordId, event.sha256] as const] : [],
    ),
  )
  return contract.clauses.filter(isCheckClause).flatMap(({ id }) => {
    const recordId = formatBaseEvidenceId(status.contract?.version ?? 1, id)
    const bytes = hashes.has(recordId) ? readUntrusted(paths.evidenceRecord(recordId), MAX_RECORD_BYTES) : undefined
    const hash = hashes.get(recordId) // A log of an older dispatch has none.
    if (!bytes || (hash !== undefined && sha256(bytes) !== hash)) return []
    return EvidenceRecord.safeParse(parseJson(bytes.toString('utf8'))).data ?? []
  })
}

/** The commit that the work starts from. */
export function getBaseCommit({ status }: RunnerContext): Commit {
  if (!status.base) throw new Error('the base is not prepared')
  return status.base
}

/** The paths of all files that the work starts from. */
export async function listBaseFiles(context: RunnerContext): Promise<string[]> {
  return (await listCommitFiles(context.session.paths, getBaseCommit(context).commit)).map(file => file.path)
}

/** The problem of a check that starts Docker, whose socket is not in a sandbox; empty for any other. Pure. */
export function findDockerCheck({ line, id, proof: { command } }: CheckClause): ContractProblem[] {
  if (!startsDocker.test(command)) return []
  return [
    {
      line,
      message: `the check of ${id} starts Docker, which a sandbox does not allow (\`${command}\`)`,
      remedy:
        'Run the tests themselves, without a container. If they need a database or a server, report it with `ask`: only the human can name what starts it, under "services" in .dispatch.json.',
    },
  ]
}

/** Where a command begins, also behind variables and programs that start another one. */
const startsDocker = /(?:^|[;&|({]|\b(?:sudo|exec|time|env|then|do)\s)\s*(?:\w+=\S*\s+)*docker(?:-compose)?(?=\s|$)/

/** The problem of a check that proves nothing, found before any work is paid for; empty if it proves something. Pure. */
export function findVacuousCheck(
  { line, id, proof: { isGuard } }: Pick<CheckClause, 'line' | 'id'> & { proof: { isGuard: boolean } },
  { outcome, reason, tests, command }: Pick<EvidenceRecord, 'outcome' | 'reason' | 'tests' | 'command'>,
): ContractProblem[] {
  const describe = (message: string, remedy: string) => [{ line, message, remedy }]
  if (outcome === 'could not run')
    return describe(
      `the check of ${id} could not run on this machine: ${reason} (\`${command}\`)`,
      chooseRemedy(reason),
    )
  if (outcome === 'flaky')
    return describe(
      `the check of ${id} is flaky on the unchanged tree: ${reason} (\`${command}\`), so it proves nothing`,
      'Make it give the same result on the same tree every time: no clock, no randomness, no network.',
    )
  if (outcome === 'green' && !isGuard)
    return describe(
      `the check of ${id} is already green before any work (\`${command}\`), so it proves nothing`,
      'Make it fail on the unchanged tree, or add the line "- guard" if it must only stay true.',
    )
  if (outcome === 'nothing ran' && isGuard) {
    const isSkipped = typeof tests === 'object' && tests.skipped > 0
    return describe(
      `the guard ${id} guards nothing: ${reason} (\`${command}\`)`,
      isSkipped
        ? 'Name tests that run here: a check has no network, and no services but those of .dispatch.json. If it is right that all are skipped, add the line "- allow-skips".'
        : 'Name tests that exist, or remove "- guard" if the work adds them.',
    )
  }
  if (outcome === 'red' && isGuard)
    return describe(
      `the guard ${id} is red before any work: ${reason} (\`${command}\`)`,
      'A guard is true before and after the work. Remove "- guard", or fix the command.',
    )
  return []
}

function chooseRemedy(reason: string): string {
  if (/\bservice\b/.test(reason)) return SERVICE_REMEDY
  if (/\b(disk|file system|execute programs)\b/.test(reason))
    return 'Only the human can fix this machine. Report it with `ask`, and end your turn.'
  return 'Use a command that exists here, or set "- limit:" if it needs longer.'
}

const SERVICE_REMEDY =
  'Use tests that need no such service, or report it with `ask`: only the human can name what starts it, under "services" in .dispatch.json. If the work is to listen at that address itself, let it and the check use a free one.'

/** No record is longer. */
const MAX_RECORD_BYTES = 4 << 20

function formatBaseEvidenceId(version: number, clause: string): string {
  return version === 1 ? `base-${clause}` : `base-v${version}-${clause}`
}
