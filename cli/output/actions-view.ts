import type { RepositoryAddress } from '#forge'
import type { JobReport } from '../actions/report.ts'
import { type WorkflowOptions, workflowFile } from '../actions/workflow.ts'
import { paint, print } from './terminal.ts'

/** What was written, and what the repository needs that dispatch does not change. */
export function printInstalled(options: WorkflowOptions, address: RepositoryAddress | undefined): void {
  const place = address === undefined ? '' : ` --repo ${address.owner}/${address.name}`
  print(`Written: ${workflowFile}. Read it, commit it, and push it to the default branch.`)
  print(`It runs dispatch at ${options.commit.slice(0, 12)} of ${options.source}.`)
  if (options.sandbox === 'off')
    print(paint('yellow', 'Without a sandbox, agents can read the keys of the models on the runner.'))
  print('\nThe repository needs:')
  for (const name of workflowSecrets) print(`  gh secret set ${name}${place}`)
  print(`  gh label create ${JSON.stringify(options.label)}${place}`)
  print('  Settings, Actions, General: "Allow GitHub Actions to create and approve pull requests"')
  print('What it has already: dispatch doctor --online')
}

/** The secrets that the workflow reads. */
export const workflowSecrets = ['ANTHROPIC_API_KEY', 'GEMINI_API_KEY']

/** What was reported of a job, for its log. */
export function printReported({ id, title, commit, reported, pullRequest, problem }: JobReport): void {
  print(id === null ? title : `${id}  ${title}`)
  print(`  reported as a ${reported.kind} of ${commit.slice(0, 10)}`)
  if (reported.kind === 'commit status') print(`  no check run: ${reported.reason}`)
  if (pullRequest !== null) print(`  pull request #${pullRequest}`)
  if (problem !== null) print(paint('yellow', `  no pull request: ${problem}`))
}
