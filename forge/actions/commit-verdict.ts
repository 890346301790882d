import { isDenied } from '../errors.ts'
import type { Forge } from '../forge.ts'

/** What is said beside a commit. */
export interface CommitVerdict {
  commit: string
  conclusion: 'success' | 'failure' | 'action_required'
  /** One line. */
  title: string
  /** Markdown. */
  summary: string
  /** Where more can be read. */
  url: string
  /** Which session it is; undefined where none has started. */
  sessionId: string | undefined
}

/** The name under which it stands there. */
export const verdictName = 'dispatch'

/** Where it stands now, and why it is no check run. */
export type ReportedVerdict = { kind: 'check run' } | { kind: 'commit status'; reason: string }

/**
 * Say beside a commit what came of its session: as a check run, or as a commit status where the login may make no check runs, as that of
 * a person may not.
 */
export async function reportVerdict(forge: Forge, verdict: CommitVerdict): Promise<ReportedVerdict> {
  try {
    await createCheckRun(forge, verdict)
    return { kind: 'check run' }
  } catch (error) {
    if (!isDenied(error)) throw error
    await createStatus(forge, verdict)
    return { kind: 'commit status', reason: error.message }
  }
}

// --- internal ---

const MAX_TITLE_CHARS = 255
const MAX_SUMMARY_CHARS = 65_535
const MAX_DESCRIPTION_CHARS = 140

function createCheckRun({ repository, request }: Forge, verdict: CommitVerdict): Promise<unknown> {
  const { commit, conclusion, title, summary, url, sessionId } = verdict
  return request('make a check run', client =>
    client.rest.checks.create({
      ...repository,
      name: verdictName,
      head_sha: commit,
      status: 'completed',
      conclusion,
      ...(sessionId !== undefined && { external_id: sessionId }),
      details_url: url,
      output: { title: title.slice(0, MAX_TITLE_CHARS), summary: summary.slice(0, MAX_SUMMARY_CHARS) },
    }),
  )
}

/** A status has no word for what is not decided: that is an error, and never a success. */
function createStatus({ repository, request }: Forge, verdict: CommitVerdict): Promise<unknown> {
  const { commit: sha, conclusion, title, url } = verdict
  const state = conclusion === 'success' || conclusion === 'failure' ? conclusion : 'error'
  const description = title.slice(0, MAX_DESCRIPTION_CHARS)
  return request('set a commit status', client =>
    client.rest.repos.createCommitStatus({
      ...repository,
      sha,
      state,
      context: verdictName,
      description,
      target_url: url,
    }),
  )
}
