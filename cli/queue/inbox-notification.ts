import type { Config } from '#host/config'
import { enqueueHomeNotification } from '../home-notification.ts'

/** A file, or a whole inbox, from which no task was taken. */
export interface InboxRefusal {
  /** The name of its project. */
  project: string
  file: string
  reason: string
}

/**
 * Queue the notification of a refusal. By default it has the name of the project and nothing of the file. The caller starts the
 * deliverer. Exit 10 if the disk does not take it.
 */
export function notifyRefusal(config: Config, { project, file, reason }: InboxRefusal, id: string, at: string): void {
  const lines = [
    `${project}: a file in the inbox was not taken. Next: dispatch projects show ${project}`,
    ...(config.NOTICE_DETAIL === 'state' ? [] : [file]),
    ...(config.NOTICE_DETAIL === 'full' ? [reason] : []),
  ]
  enqueueHomeNotification(config, {
    id,
    at,
    sessionId: 'inbox',
    title: 'A task was not taken',
    lines,
    priority: 4,
    tags: ['inbox_tray'],
  })
}
