import type { Config } from '#host/config'
import { enqueueHomeNotification } from '../home-notification.ts'

/** A file from which no task was taken, or an inbox from which none is taken for now. */
export interface InboxRefusal {
  /** The name of its project. */
  project: string
  file: string
  isWholeInbox: boolean
  reason: string
}

/**
 * Queue the notification of a refusal. By default it has the name of the project and nothing of the file. The caller starts the
 * deliverer. Exit 10 if the disk does not take it.
 */
export function notifyRefusal(
  config: Config,
  { project, file, isWholeInbox, reason }: InboxRefusal,
  id: string,
  at: string,
): void {
  const what = isWholeInbox ? 'no task is taken from its inbox' : 'a file in the inbox was not taken'
  const lines = [
    `${project}: ${what}. Next: dispatch projects show ${project}`,
    ...(config.NOTICE_DETAIL === 'state' ? [] : [file]),
    ...(config.NOTICE_DETAIL === 'full' ? [reason] : []),
  ]
  enqueueHomeNotification(config, {
    id,
    at,
    sessionId: 'inbox',
    title: isWholeInbox ? 'An inbox cannot be used' : 'A task was not taken',
    lines,
    priority: 4,
    tags: ['inbox_tray'],
  })
}
