import type { Config } from '#host/config'
import { listKnownSecrets, redactSecrets } from '#host/secrets'
import { toOneLine } from '#host/text.ts'
import { listEnabledChannels, type QueuedNotification, writeToOutbox } from '#notify'

/** A notification about something other than an event of a session. The lines become its body. */
export type HomeNotification = Pick<QueuedNotification, 'id' | 'at' | 'sessionId'> &
  Omit<QueuedNotification['notification'], 'body'> & { lines: string[] }

/** Queue a notification, without the secrets that dispatch knows. The caller starts the deliverer. Exit 10 if the disk does not take it. */
export function enqueueHomeNotification(config: Config, { id, at, sessionId, lines, ...head }: HomeNotification): void {
  const secrets = listKnownSecrets(config)
  // Redact before the cut: half a secret is still a secret.
  const body = lines.map(line => toOneLine(redactSecrets(line, secrets).text, MAX_LINE_CHARS)).join('\n')
  const queued = { id, sessionId, at, deliverBy: null, notification: { ...head, body } }
  writeToOutbox(config.home, queued, listEnabledChannels(config))
}

// --- internal ---

const MAX_LINE_CHARS = 300
