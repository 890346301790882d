import { ForgeError } from './errors.ts'
import type { Forge } from './forge.ts'

/** What a check or a status says of a commit. */
export type CheckState = 'green' | 'red' | 'pending'

/** A check run or a status of a commit, as it was reported. */
export interface CheckReport {
  name: string
  state: CheckState
  /** It has ended, and says nothing of the work: it was cancelled, is out of date, or waits for a person. A merge takes it for red. */
  isWithoutVerdict: boolean
  /** Title, summary and text, as far as there are any. */
  text: string
  url: string
  /** Of a check run: its number, and how many lines of files it complains about. */
  run: { id: number; annotationCount: number } | undefined
}

/** Read the check runs and statuses of exactly this commit. */
export async function readCheckReports({ repository, request }: Forge, commit: string): Promise<CheckReport[]> {
  const place = { ...repository, ref: commit, per_page: 100 }
  const action = `read the checks of ${commit.slice(0, 10)}`
  const runs = await request(action, client => client.paginate(client.rest.checks.listForRef, place))
  const statuses = await request(action, client => client.paginate(client.rest.repos.listCommitStatusesForRef, place))
  // A status replaces an earlier one of its name, and the newest comes first.
  const latest = new Map(statuses.toReversed().map(status => [status.context, status]))
  return [
    ...[...latest.values()].map(({ context, state, description, target_url }) => ({
      name: context,
      state: state === 'success' ? ('green' as const) : state === 'pending' ? ('pending' as const) : ('red' as const),
      isWithoutVerdict: false,
      text: description ?? '',
      url: target_url ?? '',
      run: undefined,
    })),
    // Of the runs of one app, GitHub lists only the latest of each name.
    ...runs.map(({ id, name, status, conclusion, output, details_url, html_url }) => ({
      name,
      state: readRun(status, conclusion),
      isWithoutVerdict: ['cancelled', 'stale', 'action_required'].includes(conclusion ?? ''),
      text: [output.title, output.summary, output.text].filter(Boolean).join('\n'),
      url: details_url ?? html_url ?? '',
      run: { id, annotationCount: output.annotations_count },
    })),
  ]
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
  ).catch(ignoreMissing)
  const byRules = (rules ?? []).flatMap(rule =>
    rule.type === 'required_status_checks' ? (rule.parameters?.required_status_checks ?? []) : [],
  )
  const { data } = await request(action, client => client.rest.repos.getBranch({ ...repository, branch }))
  const protection = data.protection?.required_status_checks
  const byProtection = protection?.enforcement_level === 'off' ? [] : (protection?.contexts ?? [])
  return [...new Set([...byRules.map(({ context }) => context), ...byProtection])]
}

// --- internal ---

const worstFirst = ['red', 'pending', 'green'] as const
const MAX_ANNOTATION_COUNT = 20

function readRun(status: string, conclusion: string | null): CheckState {
  if (status !== 'completed') return 'pending'
  return conclusion === 'success' || conclusion === 'neutral' || conclusion === 'skipped' ? 'green' : 'red'
}

/** GitHub Enterprise has known rules only for some time. */
function ignoreMissing(error: unknown): undefined {
  if (error instanceof ForgeError && error.status === 404) return undefined
  throw error
}
