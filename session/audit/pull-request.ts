import type { Audit } from './audit.ts'

/** Check that what a pull request shows was recorded before it was pushed, and that a PASS on it is about the judged tree. */
export function auditPullRequest(audit: Audit): void {
  const prepared = audit.selectEvents('pull-request.prepared')
  for (const { commit, tree, verdict, index } of prepared) {
    const last = audit.selectEvents('verdict.given').findLast(event => event.index < index)
    if (verdict !== null && (last?.verdict !== verdict || last.tree !== tree))
      audit.addDamage(
        audit.paths.events,
        `says ${verdict} of commit ${commit.slice(0, 10)}, which was pushed for a pull request, and the last verdict is about something else`,
        'What the pull request says of its verdict cannot be relied on.',
      )
  }
  for (const { number, commit, tree, index } of audit.selectEvents('pull-request.opened'))
    if (!prepared.some(event => event.index < index && event.commit === commit && event.tree === tree))
      audit.addDamage(
        audit.paths.events,
        `says that pull request ${number} has commit ${commit.slice(0, 10)}, which was not recorded before it was pushed`,
        'What the pull request shows may be something else.',
      )
}
