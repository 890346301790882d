import { MINUTE_MS } from '#host/time.ts'
import { type CheckReport, type CheckState, readCheckRuns } from './check-runs.ts'
import { ForgeError } from './errors.ts'
import type { Forge } from './forge.ts'

export type { CheckReport, CheckState }

/** Read the check runs and statuses of exactly this commit. */
export async function readCheckReports(forge: Forge, commit: string): Promise<CheckReport[]> {
  const { repository, request } = forge
  const statuses = await request(`read the checks of ${commit.slice(0, 10)}`, client =>
    client.paginate(client.rest.repos.listCommitStatusesForRef, { ...repository, ref: commit, per_page: 100 }),
  )
  // A status replaces an earlier one of its name, and the newest comes first.
  const latest = new Map(statuses.toReversed().map(status => [status.context, status]))
  return [
    ...[...latest.values()].map(({ context, state, description, target_url, created_at }) => ({
      name: context,
      state: state === 'success' ? ('green' as const) : state === 'pending' ? ('pending' as const) : ('red' as const),
      isWithoutVerdict: false,
      text: description ?? '',
      url: target_url ?? '',
      startedAt: created_at,
      ...{ run: undefined, jobId: undefined },
    })),
    ...(await readCheckRuns(forge, commit)),
  ]
}

/** How long ago something was reported first; null while nothing is. A clock that is behind that of GitHub changes nothing. */
export function getReportedForMs(reports: CheckReport[], nowMs: number): number | null {
  if (reports.length === 0) return null
  const firstMs = Math.min(...reports.map(({ startedAt }) => Date.parse(startedAt) || 0))
  return firstMs > nowMs ? Number.POSITIVE_INFINITY : nowMs - firstMs
}

/**
 * The state of each name. Where several have one name, such as the runs of a push and of a pull request, the worst counts: a red one is
 * not hidden by another. Pure.
 */
export function combineStates(reports: CheckReport[]): Map<string, CheckState> {
  const checks = new Map<string, CheckState>()
  for (const { name, state } of reports) {
    const states = [checks.get(name), state]
    checks.set(name, worstFirst.find(each => states.includes(each)) ?? 'pending')
  }
  return checks
}

/** What a check run says of lines of files, the first of it. */
export async function readAnnotations({ repository, request }: Forge, { name, run }: CheckReport): Promise<string[]> {
  if (run === undefined || run.annotationCount === 0) return []
  const { data } = await request(`read what the check ${name} says`, client =>
    client.rest.checks.listAnnotations({ ...repository, check_run_id: run.id, per_page: MAX_ANNOTATION_COUNT }),
  )
  return data.map(({ path, start_line, title, message }) =>
    [`${path}:${start_line}`, title, message].filter(Boolean).join(': '),
  )
}

/** The checks that a branch asks for: by the rules of the repository, and by its older protection. */
export async function listRequiredChecks({ repository, request }: Forge, branch: string): Promise<string[]> {
  const action = `read what ${branch} asks for`
  const rules = await request(action, client =>
    client.paginate(client.rest.repos.getBranchRules, { ...repository, branch, per_page: 100 }),
  ).catch(ignoreUnknown)
  const byRules = (rules ?? []).flatMap(rule =>
    rule.type === 'required_status_checks' ? (rule.parameters?.required_status_checks ?? []) : [],
  )
  const { data } = await request(action, client => client.rest.repos.getBranch({ ...repository, branch }))
  const protection = data.protection?.required_status_checks
  const byProtection = protection?.enforcement_level === 'off' ? [] : (protection?.contexts ?? [])
  return [...new Set([...byRules.map(({ context }) => context), ...byProtection])]
}

/** Where a branch asks for no check, CI that is there has reported so long after the first of it. */
export const FIRST_CHECK_MS = MINUTE_MS

// --- internal ---

const worstFirst = ['red', 'pending', 'green'] as const
const MAX_ANNOTATION_COUNT = 20

/** GitHub Enterprise has known rules only for some time, and a private repository has them only on a paid plan. */
function ignoreUnknown(error: unknown): undefined {
  if (error instanceof ForgeError && (error.status === 404 || isForAnotherPlan(error))) return undefined
  throw error
}

const isForAnotherPlan = ({ status, message }: ForgeError) => status === 403 && /Upgrade to GitHub/.test(message)
