import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { askOnce } from '#agents'
import type { Forge } from '#forge'
import type { Ignored } from '#forge/issues'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findCheckout } from '#host/git'
import { archiveFiles, findDownloadCommand, listTreeEntries } from '#host/git/export'
import { listKnownSecrets, redactAll } from '#host/secrets'
import { unpackTar } from '#host/tar.ts'
import { sanitize, toOneLine } from '#host/text.ts'
import type { SessionManifest } from '#session'
import { renderQuotedTask } from '#session/task'
import { formatIssue } from '../issues/record.ts'
import { getKey } from '../issues/take-issue.ts'
import { type IssueWords, readIssueWords } from './issue-text.ts'
import {
  createChangedError,
  createHalfMadeError,
  type Proposal,
  parseProposal,
  readSplit,
  type SplitRecord,
  withSplit,
  writeSplit,
} from './proposal.ts'

/** What to propose for, and how. */
export interface ProposeRequest {
  forge: Forge
  checkout: string
  number: number
  model: string
  sandbox: SessionManifest['sandbox']
  say(text: string): void
  end: AbortSignal
}

/** Have an agent propose how an issue could be split, and keep it. Nothing is changed on GitHub. Exit 5 while an earlier one is half made. */
export async function proposeSplit(
  config: Config,
  request: ProposeRequest,
): Promise<{ record: SplitRecord; ignored: Ignored[] }> {
  const { forge, number, model } = request
  const key = getKey(forge, number)
  const known = readSplit(config.home, key)
  if (known?.state === 'accepting') throw createHalfMadeError(known)
  const words = await readIssueWords(forge, number)
  request.say(`Asking ${model} how ${formatIssue(key)} could be split …`)
  const { proposal, costUsd } = await askForProposal(config, request, words)
  const record: SplitRecord = {
    ...{ ...key, url: words.issue.url, title: toOneLine(words.issue.title, MAX_TITLE_CHARS) },
    ...{ state: 'proposed', id: randomBytes(8).toString('hex'), proposedAt: words.issue.readAt },
    ...{
      wordsSha256: words.sha256,
      model,
      costUsd,
      made: [],
      issues: redactAll(proposal.issues, listKnownSecrets(config)),
    },
  }
  return { record: await keepProposal(config.home, record, known), ignored: words.ignored }
}

/** Keep a new proposal in place of the one that was known before. Exit 5 where another command has changed that meanwhile. */
export async function keepProposal(home: string, record: SplitRecord, known?: SplitRecord): Promise<SplitRecord> {
  return withSplit(home, record, async () => {
    if (isDeepStrictEqual(readSplit(home, record), known)) return writeSplit(home, record)
    throw createChangedError(record)
  })
}

// --- internal ---

const MAX_ANSWERS_COUNT = 2
const MAX_TITLE_CHARS = 120
const MAX_FILES_COUNT = 3000
const MAX_PATH_CHARS = 200
const MAX_REASON_CHARS = 300

/** An answer that is not in the form is asked for once more. */
async function askForProposal(
  config: Config,
  { forge, checkout, number, model, sandbox, end, say }: ProposeRequest,
  { blocks }: IssueWords,
): Promise<{ proposal: Proposal; costUsd: number }> {
  const nonce = randomBytes(16).toString('hex')
  const { owner, name, host } = getKey(forge, number)
  const lead = `Propose how issue ${number} of ${owner}/${name} on ${host} could be split.`
  const head = (await findCheckout(checkout))?.head ?? null
  const files = head === null ? [] : await listTreeEntries({ path: checkout, commit: head })
  const shown = files.slice(0, MAX_FILES_COUNT).map(file => toOneLine(file.path, MAX_PATH_CHARS))
  const more = files.length > shown.length ? [`and ${files.length - shown.length} more`] : []
  const names = { heading: 'the names of the files of the repository', text: [...shown, ...more].join('\n') }
  const reading =
    sandbox.kind === null
      ? 'You have no tools. The names of the files of the repository follow the issue.'
      : 'Your folder has the files of the repository, to read.'
  let costUsd = 0
  let problem = ''
  for (let count = 1; ; count++) {
    const again = problem === '' ? '' : `\nYour last answer was not in the form: ${problem}. Answer again.\n`
    const answer = await askOnce(config, {
      ...{ prompt: 'split', values: { nonce, reading }, model, sandbox, end },
      text: `${renderQuotedTask(lead, nonce, [...blocks, names])}${again}`,
      fillFolder: async folder => {
        if (head !== null && sandbox.kind !== null) await exportCommit(checkout, head, folder, end)
      },
    })
    costUsd += answer.costUsd
    const parsed = parseProposal(answer.text)
    if (!('problem' in parsed)) return { proposal: parsed, costUsd }
    problem = toOneLine(parsed.problem, MAX_PATH_CHARS)
    if (count === MAX_ANSWERS_COUNT)
      throw new DispatchError(`${model} gave no proposal in the form that is asked for: ${problem}`, {
        exitCode: exitCodes.upstream,
        remedy: 'Nothing was changed. Run the same command again, or with another --model.',
      })
    say(`Its answer was not in the form (${sanitize(problem)}). Asking once more …`)
  }
}

async function exportCommit(checkout: string, commit: string, folder: string, end: AbortSignal): Promise<void> {
  const archive = path.join(path.dirname(folder), 'files.tar')
  try {
    await archiveFiles(checkout, commit, archive, end)
    unpackTar(archive, folder)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    const command = await findDownloadCommand({ path: checkout, commit })
    const download =
      command === undefined ? '' : `The repository is a partial clone. To get what it lacks: ${command}. `
    // Such as a link that leads out of the repository.
    throw new DispatchError(
      `the files of ${checkout} cannot be copied: ${toOneLine(error.message, MAX_REASON_CHARS)}`,
      {
        exitCode: exitCodes.dependency,
        remedy: `Nothing was changed. ${download}To go on with the names of the files only: --sandbox off`,
      },
    )
  }
}
