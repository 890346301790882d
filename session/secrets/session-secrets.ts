import path from 'node:path'
import type { Config } from '#host/config'
import { readUntrusted } from '#host/fs'
import { listKnownSecrets, parseAssignedSecrets } from '#host/secrets'
import { isSessionId } from '../id.ts'
import { resolveSessionPaths, type SessionPaths } from '../paths.ts'
import { listIgnoredFiles } from './ignored-files.ts'

/**
 * What no text of a session may carry off this machine: the secrets that dispatch knows, and those in the files that the project hands on
 * though git ignores them. Every place that sends or publishes such a text redacts it with these. Throws where the files are there and
 * cannot be read: what they hold would not be found in the text.
 */
export function listSessionSecrets(config: Partial<Config>, paths: Pick<SessionPaths, 'ignoredFiles'>): string[] {
  return [...listKnownSecrets(config), ...readIgnoredFileSecrets(paths)]
}

/** The same of several sessions by their ids, for a text in which each of them may have a part. One that was removed has no files. */
export function listSecretsOf(config: Config, ids: readonly string[]): string[] {
  const paths = ids.filter(isSessionId).map(id => resolveSessionPaths(path.join(config.workspace, id)))
  return [...new Set([...listKnownSecrets(config), ...paths.flatMap(readIgnoredFileSecrets)])]
}

// --- internal ---

const MAX_SEARCHED_BYTES = 1024 * 1024

/** Recognized by their names: projects keep secrets in files that git ignores. */
function readIgnoredFileSecrets(paths: Pick<SessionPaths, 'ignoredFiles'>): string[] {
  return listIgnoredFiles(paths).flatMap(file => {
    const text = readUntrusted(path.join(paths.ignoredFiles, file), MAX_SEARCHED_BYTES)?.toString('utf8') ?? ''
    return text.includes('\0') ? [] : parseAssignedSecrets(text)
  })
}
