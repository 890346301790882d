import type { Config } from '#host/config'
import { listKnownSecrets, redactSecrets } from '#host/secrets'
import { toOneLine } from '#host/text.ts'
import { listEnabledChannels, type QueuedNotification, writeToOutbox } from '#notify'
import { listSecretsOf } from '#session/secrets'

/** A notification about something other than an event of a session. The lines become its body. */
export type HomeNotification = Pick<QueuedNotification, 'id' | 'at' | 'sessionId'> &
  Omit<QueuedNotification['notification'], 'body'> & {
    lines: string[]
    /** Lines after those, in which these sessions may have a part. They are left out where the files of one cannot be read. */
    words?: { of: string[]; lines: string[] } | undefined
  }

/**
 * Queue a notification, without the secrets that dispatch and those sessions know. The caller starts the deliverer. Exit 10 if the disk does
 * not take it.
 */
export function enqueueHomeNotification(
  config: Config,
  { id, at, sessionId, lines, words, ...head }: HomeNotification,
): void {
  const own = words && findSecretsOf(config, words.of)
  const secrets = own ?? listKnownSecrets(config)
  const shown = [...lines, ...(own === undefined ? [] : (words?.lines ?? []))]
  // Redact before the cut: half a secret is still a secret.
  const body = shown.map(line => toOneLine(redactSecrets(line, secrets).text, MAX_LINE_CHARS)).join('\n')
  const queued = { id, sessionId, at, deliverBy: null, notification: { ...head, body } }
  writeToOutbox(config.home, queued, listEnabledChannels(config))
}

// --- internal ---

const MAX_LINE_CHARS = 300

/** Undefined where they cannot be read. */
function findSecretsOf(config: Config, ids: string[]): string[] | undefined {
  try {
    return listSecretsOf(config, ids)
  } catch {
    return undefined
  }
}
