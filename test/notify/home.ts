import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Config, listNames, readConfig } from '../../host/index.ts'
import {
  type Channel,
  type DeliveryTiming,
  defaultTiming,
  getOutboxFolders,
  type QueuedNotification,
} from '../../notify/index.ts'

export const testTopic = '5f1d09c2a4e87b36d0c1f2a3b4e5d697'
export const testToken = 'tk_3f9ac0d1e2b4f5a69788'

/** The usual pace, with every wait so short that a test can see the end of it. */
export const quickTiming: DeliveryTiming = {
  ...defaultTiming,
  attemptTimeoutMs: 3000,
  rescanMs: 25,
  lingerMs: 60,
  firstBackoffMs: 20,
  maxBackoffMs: 100,
  maxWaitMs: 2000,
  refillMs: 0,
}

/** A home for one test. */
export function createHome(): string {
  return fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-notify-')))
}

/** The settings of that home, with no channel but those that are named. */
export function buildConfig(home: string, settings: Record<string, string> = {}): Config {
  return readConfig({ DISPATCH_HOME: home, HOME: home, DESKTOP: 'off', ...settings })
}

export const buildPhoneSettings = (url: string) => ({ NTFY_SERVER: url, NTFY_TOPIC: testTopic })

const session = '2026-11-20-fix-login-a3f9'

/** A message of a session: the `nth` thing that it has to say. */
export function buildQueuedNotification(nth: number, changes: Partial<QueuedNotification> = {}): QueuedNotification {
  const sessionId = changes.sessionId ?? session
  return {
    id: `${sessionId}-${nth}`,
    sessionId,
    at: new Date(Date.now() - 60_000 + nth).toISOString(),
    deliverBy: null,
    notification: { title: 'Dispatch goes on', body: `${sessionId} is at step ${nth}`, priority: 3, tags: ['gear'] },
    ...changes,
  }
}

/** The ids of the messages in each folder of a channel, in their order. */
export function listOutbox(home: string, channel: Channel): Record<'waiting' | 'sent' | 'dead', string[]> {
  const { waiting, sent, dead } = getOutboxFolders(home, channel)
  const ids = (folder: string) => listNames(folder).map(name => name.slice(16, -'.json'.length))
  return { waiting: ids(waiting), sent: ids(sent), dead: ids(dead) }
}

/** Wait until this holds; fails loudly when it does not. */
export async function waitUntilTrue(what: string, look: () => boolean, milliseconds = 10_000): Promise<void> {
  for (const end = Date.now() + milliseconds; Date.now() < end; ) {
    if (look()) return
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  throw new Error(`not within ${milliseconds / 1000} s: ${what}`)
}
