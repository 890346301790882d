import type { LandingStatus } from '#session/landing'
import { type Event, readLog } from '#session/log'
import { applyEvent } from '#session/status'
import type { RunnerContext } from '../context.ts'

/** The number of the next try that is checked, from 1. A dry run has one too, and the status does not know of it. */
export function getNextNumber({ session }: RunnerContext): number {
  return 1 + readLog(session.paths.events).events.filter(({ type }) => type === 'landing.checked').length
}

/** Where the landing stands by an event that was just recorded. The status leaves out that of a dry run. */
export function readResult({ status }: RunnerContext, event: Event): LandingStatus {
  const { landing } = applyEvent(status, 'isDryRun' in event ? { ...event, isDryRun: false } : event)
  if (landing === undefined) throw new Error(`${event.type} says nothing about a landing`)
  return landing
}
