import { z } from 'zod'
import { unreachable } from '../host/index.ts'
import type { Event } from '../session/index.ts'

/** An event put into words for a person. It leaves the machine: session id and state only, never the task. */
export const Notice = z.object({
  title: z.string().min(1).max(200),
  body: z.string().min(1).max(1000),
  /** As ntfy counts: 1 is silent, 3 is usual, 5 rings on. */
  priority: z.int().min(1).max(5),
  /** Names of ntfy tags, such as `rocket`; the phone shows them as emoji. (An emoji in the title would throw.) */
  tags: z.array(z.string().regex(/^[a-z0-9_+-]{1,40}$/)).max(8),
  /** What a tap on the notice opens. */
  click: z.url({ protocol: /^https?$/ }).optional(),
})

export type Notice = z.infer<typeof Notice>

/** What a person is told of this event, or undefined when it is not worth a push. `page` is the observatory's address. */
export function noticeOf(event: Event, session: { id: string }, page: string | undefined): Notice | undefined {
  const words = wordsOf(event)
  if (words === undefined) return undefined
  const { title, state, priority, tag } = words
  const click = page === undefined ? {} : { click: `${page.replace(/\/+$/, '')}/s/${session.id}` }
  return { title, body: `${session.id} ${state}`, priority, tags: [tag], ...click }
}

interface Words {
  title: string
  state: string
  priority: Notice['priority']
  tag: string
}

function wordsOf(event: Event): Words | undefined {
  switch (event.is) {
    case 'orchestrator.started':
      return { title: 'Dispatch started', state: 'is planning', priority: 3, tag: 'rocket' }
    case 'start.failed':
      return { title: 'Dispatch did not start', state: 'failed', priority: 4, tag: 'x' }
    case 'question.asked':
      return { title: 'Dispatch needs you', state: 'is asking a question', priority: 4, tag: 'question' }
    case 'approval.asked':
      return { title: 'Dispatch needs you', state: 'waits for your approval', priority: 4, tag: 'question' }
    case 'orchestrator.gave-up':
      return { title: 'Dispatch needs you', state: 'cannot go on alone', priority: 4, tag: 'warning' }
    case 'orchestrator.stuck':
      return { title: 'Dispatch is stuck', state: stillFor(event.idleSeconds), priority: 4, tag: 'hourglass' }
    case 'verdict.given':
      return event.final || event.verdict !== 'FAIL' ? verdictWords(event) : undefined
    case 'verdict.voided':
      return {
        title: 'Dispatch: verdict void',
        state: 'has changed since its verdict, which no longer holds',
        priority: 4,
        tag: 'warning',
      }
    case 'session.opened':
    case 'runner.started':
    case 'base.prepared':
    case 'contract.refused':
    case 'setup.started':
    case 'setup.ended':
    case 'contract.sealed':
    case 'check.ran':
    case 'worker.queued':
    case 'worker.started':
    case 'worker.ended':
    case 'lock.granted':
    case 'lock.released':
    case 'changes.set-aside':
    case 'request.refused':
    case 'write.refused':
    case 'question.answered':
    case 'human.said':
    case 'human.refused':
    case 'contract.approved':
    case 'contract.declined':
    case 'turn.ended':
    case 'judging.started':
    case 'notice.sent':
    case 'notice.failed':
    case 'session.closed':
      return undefined
    default:
      return unreachable(event)
  }
}

function verdictWords({ verdict, round }: Extract<Event, { is: 'verdict.given' }>): Words {
  const title = `Dispatch: ${verdict}`
  switch (verdict) {
    case 'PASS':
      return { title, state: `has passed in round ${round}`, priority: 3, tag: 'white_check_mark' }
    case 'FAIL':
      return { title, state: `has failed in round ${round}`, priority: 4, tag: 'x' }
    case 'INCONCLUSIVE':
      return { title, state: `could not be decided in round ${round}`, priority: 4, tag: 'warning' }
    default:
      return unreachable(verdict)
  }
}

function stillFor(seconds: number): string {
  return seconds < 120 ? `has been still for ${seconds} s` : `has been still for ${Math.floor(seconds / 60)} min`
}
