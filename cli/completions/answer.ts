import { DispatchError } from '#host/error.ts'
import { listNames } from '#host/fs'
import { findSession, isSessionId, isWorkerName } from '#session'
import type { CommandTable } from '../help.ts'
import { readConfigOrDefaults } from '../input/session.ts'
import { print } from '../output/terminal.ts'
import { complete } from './complete.ts'

/**
 * `dispatch completions -- <words>`, which the scripts call at each Tab. Prints one candidate a line, with a tab before its
 * description; or the one line `:file` or `:folder`. Returns the exit code.
 */
export async function answerShell(words: string[], table: CommandTable): Promise<number> {
  const candidates = await complete(words, table, { listIds, listSpeakers })
  if (typeof candidates === 'string') print(`:${candidates}`)
  else for (const { word, about } of candidates) print(about === '' ? word : `${word}\t${about}`)
  return 0
}

// --- internal: only names that are safe in any shell ---

function listIds(): string[] {
  return listNames(readConfigOrDefaults().workspace).filter(isSessionId).reverse()
}

function listSpeakers(id: string): string[] {
  try {
    const { paths } = findSession(readConfigOrDefaults().workspace, id)
    return ['orchestrator', 'runner', ...listNames(paths.workers).filter(isWorkerName)]
  } catch (error) {
    if (error instanceof DispatchError) return []
    throw error
  }
}
