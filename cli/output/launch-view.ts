import { readUserSettings } from '#host/claude'
import type { Config } from '#host/config'
import { formatCount, formatNames, sanitize, toOneLine } from '#host/text.ts'
import { leaveOutCheckout, listPythonsOfCheckout } from '#host/toolchains'
import type { StartResult } from '#runner'
import type { Session } from '#session'
import { formatLocalTime, paint, print } from './terminal.ts'

/** Print what a new session works on, and what it lacks. */
export function printIntroduction({ id, manifest }: Session, config: Config): void {
  const { repository, sandbox } = manifest
  print(paint('bold', id))
  if (repository) {
    const { uncommittedFiles, subfolder } = repository
    const start = subfolder === undefined ? '' : `, started in ${toOneLine(subfolder, MAX_FOLDER_CHARS)}`
    const omitted = uncommittedFiles > 0 ? `, without ${formatCount(uncommittedFiles, 'uncommitted file')}` : ''
    print(`  on a copy of ${repository.path} at ${repository.commit.slice(0, 10)}${start}${omitted}`)
  } else print('  in an empty repository')
  if (sandbox.kind === null) printWarning(`no sandbox (${sandbox.reason}): agents and checks run with your rights`)
  const { leftOut } = readUserSettings()
  if (leftOut.length > 0) print(`  without your settings of claude for ${leftOut.join(', ')}`)
  for (const line of listLeftOutFolders(manifest)) printWarning(line)
  if (config.GEMINI_API_KEY === '')
    printWarning('GEMINI_API_KEY is not set: the checks run, but without a judge the verdict cannot be PASS')
}

export function printWarning(text: string): void {
  print(paint('yellow', `  ${sanitize(text)}`))
}

/** Print how to follow a session. `start` is null if the command did not wait for it. */
export function printNextCommands(
  { id, paths }: Session,
  pageUrl: string | undefined,
  start: StartResult | null,
): void {
  const letters = id.slice(-4)
  if (start?.isParked) {
    const until =
      start.resetsAt === null ? 'dispatch tries again by itself' : `it goes on at ${formatLocalTime(start.resetsAt)}`
    printWarning(`parked, because the model does not answer for now: ${start.reason}; ${until}`)
  }
  const state = start === null ? 'opened. ' : start.isParked ? 'parked. ' : 'started.'
  print(`  ${state} dispatch watch ${letters}   live, until the verdict`)
  print(`           dispatch attach ${letters}  the orchestrator's terminal`)
  if (pageUrl) print(`           ${pageUrl}`)
  print(paint('dim', `           ${paths.folder}`))
}

// --- internal ---

/** The line about folders of PATH that a shell with an activated environment has, and that no session gets. */
function listLeftOutFolders({ repository, project }: Session['manifest']): string[] {
  const { leftOut } = leaveOutCheckout(repository?.path)
  const remedy = project?.setup.length ? '' : '; `dispatch prepare` can install the dependencies for it'
  const pythons = repository && remedy !== '' ? listPythonsOfCheckout(repository.path) : []
  return [
    ...(leftOut.length > 0
      ? [`${formatNames(leftOut)} is in your checkout, so the work does not get it on PATH${remedy}`]
      : []),
    ...pythons.map(
      prefix =>
        `the Python in ${prefix} loads the files of your checkout, not those of the work; \`dispatch prepare\` sets up another`,
    ),
  ]
}

const MAX_FOLDER_CHARS = 100
