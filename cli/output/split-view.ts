import { sanitize } from '#host/text.ts'
import { formatIssue } from '../issues/record.ts'
import type { AcceptedSplit } from '../split/accept.ts'
import type { SplitRecord } from '../split/proposal.ts'
import { paint, print } from './terminal.ts'

/** A proposal, as a person reads it before accepting it. `end`: what is said below it, with the command that accepts it. */
export function printProposal(record: SplitRecord, end = ''): void {
  print(paint('bold', `${formatIssue(record)}  ${sanitize(record.title)}`))
  for (const [at, { title, text, acceptance, after }] of record.issues.entries()) {
    const made = record.made[at] === undefined ? '' : `  (#${record.made[at]?.number})`
    print(`\n${paint('bold', `${at + 1}. ${sanitize(title)}`)}${made}`)
    for (const line of sanitize(text).split('\n')) print(`   ${line}`)
    for (const sentence of acceptance) print(`   - ${sanitize(sentence)}`)
    if (after.length > 0) print(paint('dim', `   after ${after.join(', ')}`))
  }
  print()
  if (end !== '')
    print(`${end} ($${record.costUsd.toFixed(2)} spent). To make them: dispatch split ${record.number} --accept`)
}

/** What was made on GitHub. */
export function printAccepted({ record, kind }: AcceptedSplit): void {
  for (const [at, { number, url }] of record.made.entries())
    print(`#${number}  ${sanitize(record.issues[at]?.title ?? '')}  ${paint('dim', url)}`)
  if (kind === 'task list') print('This GitHub knows no sub-issues, so a comment on the issue lists them.')
}
