import { z } from 'zod'
import { parseRepositoryAddress, type RepositoryAddress } from '#forge'
import { pickVariables } from '#host/config'
import { readJson } from '#host/fs'
import { UsageError } from '../command.ts'

/** The job of GitHub Actions that runs this process. */
export interface Job {
  address: RepositoryAddress
  /** The commit that it has checked out. */
  commit: string
  /** Where a person sees it. */
  url: string
  checkout: string
  /** The file whose Markdown is shown on that page; undefined without one. */
  summaryFile: string | undefined
  /** What has started it: the text that a person typed, or the label of an issue. */
  start: { task: string } | { issue: number; label: string }
}

/** Read the job from what its runner has set. No text of the event passes through a shell. Exit 2 outside of a job. */
export function readJob(): Job {
  const {
    GITHUB_ACTIONS: isInJob,
    GITHUB_SERVER_URL: server = '',
    GITHUB_REPOSITORY: name = '',
    GITHUB_SHA: commit = '',
    GITHUB_RUN_ID: run = '',
    GITHUB_WORKSPACE: checkout = '',
    GITHUB_STEP_SUMMARY: summaryFile,
    GITHUB_EVENT_NAME: eventName = '',
    GITHUB_EVENT_PATH: eventFile = '',
  } = pickVariables(variableNames)
  const address = parseRepositoryAddress(`${server}/${name}`)
  if (isInJob !== 'true' || address === undefined || !/^[0-9a-f]{40}$/.test(commit))
    throw new UsageError('this is no job of GitHub Actions', 'To install the workflow: dispatch actions install')
  const event = events[eventName]?.safeParse(readJson(eventFile)).data
  if (event === undefined)
    throw new UsageError(
      `the event ${eventName} starts nothing`,
      'The workflow of `dispatch actions install` is for the events workflow_dispatch and issues.',
    )
  return { address, commit, checkout, summaryFile, url: `${server}/${name}/actions/runs/${run}`, start: event }
}

// --- internal ---

const variableNames = [
  'GITHUB_ACTIONS',
  'GITHUB_SERVER_URL',
  'GITHUB_REPOSITORY',
  'GITHUB_SHA',
  'GITHUB_RUN_ID',
  'GITHUB_WORKSPACE',
  'GITHUB_STEP_SUMMARY',
  'GITHUB_EVENT_NAME',
  'GITHUB_EVENT_PATH',
]

const events: Record<string, z.ZodType<Job['start']>> = {
  workflow_dispatch: z.object({ inputs: z.object({ task: z.string() }) }).transform(({ inputs }) => inputs),
  issues: z
    .object({
      action: z.literal('labeled'),
      issue: z.object({ number: z.int().positive() }),
      label: z.object({ name: z.string() }),
    })
    .transform(({ issue, label }) => ({ issue: issue.number, label: label.name })),
}
