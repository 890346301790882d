import { z } from 'zod'

/** What a person receives about an event. It leaves this machine: by default it has the session's id and state, never the task. */
export const Notification = z.object({
  title: z.string().min(1).max(200),
  body: z.string().min(1).max(1000),
  /** As in ntfy: 1 is silent, 3 is the default, 5 keeps ringing. */
  priority: z.int().min(1).max(5),
  /** Names of ntfy tags, such as `rocket`. The phone shows them as emoji. (An emoji in the title would throw.) */
  tags: z.array(z.string().regex(/^[a-z0-9_+-]{1,40}$/)).max(8),
  /** What a tap opens. */
  click: z.url({ protocol: /^https?$/ }).optional(),
  /** Marks a verdict. It has the log anchor, so no batch may hide it. Files of an older dispatch have no mark. */
  kind: z.literal('verdict').optional(),
})

export type Notification = z.infer<typeof Notification>
