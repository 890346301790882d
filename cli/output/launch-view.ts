import type { Config } from '#host/config'
import { formatCount, sanitize } from '#host/text.ts'
import type { Session } from '#session'
import { paint, print } from './terminal.ts'

/** Print what a new session works on, and what it lacks. */
export function printIntroduction({ id, manifest }: Session, config: Config): void {
  const { repository, sandbox } = manifest
  print(paint('bold', id))
  if (repository) {
    const { uncommittedFiles } = repository
    const omitted = uncommittedFiles > 0 ? `, without ${formatCount(uncommittedFiles, 'uncommitted file')}` : ''
    print(`  on a copy of ${repository.path} at ${repository.commit.slice(0, 10)}${omitted}`)
  } else print('  in an empty repository')
  if (sandbox.kind === null) printWarning(`no sandbox (${sandbox.reason}): agents and checks run with your rights`)
  if (config.GEMINI_API_KEY === '')
    printWarning('GEMINI_API_KEY is not set: the checks run, but without a judge the verdict cannot be PASS')
}

export function printWarning(text: string): void {
  print(paint('yellow', `  ${sanitize(text)}`))
}

/** Print how to follow a session that has started. */
export function printNextCommands({ id, paths }: Session, pageUrl: string | undefined): void {
  const letters = id.slice(-4)
  print(`  started. dispatch watch ${letters}   live, until the verdict`)
  print(`           dispatch attach ${letters}  the orchestrator's terminal`)
  if (pageUrl) print(`           ${pageUrl}`)
  print(paint('dim', `           ${paths.folder}`))
}
