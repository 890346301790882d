import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { sanitize } from '#host/text.ts'
import { type ChannelHealth, readChannelHealth } from '#notify'
import { formatRelativeTime, formatTable, paint, print } from '../output/terminal.ts'
import { describeDestination } from './test.ts'

/** `dispatch notify`: the channels, and whether they work. Returns the exit code. */
export function printChannels(config: Config, json: boolean): number {
  if (json) {
    print(JSON.stringify(readChannelHealth(config.home, config)))
    return exitCodes.ok
  }
  const { QUIET_HOURS: quietHours, NOTICE_DETAIL: detail } = config
  print(formatChannelTable(config))
  print(`
Quiet hours: ${quietHours === '' ? 'none' : `${quietHours}; notifications wait, unless a deadline is near`}
A notification contains: ${detailTexts[detail]}

  dispatch notify setup   set up a phone with a QR code, a webhook, quiet hours
  dispatch notify test    send one notification by every channel
  dispatch notify log     what was sent, what is waiting, and why`)
  return exitCodes.ok
}

/** One line a channel: is it on, where does it send, does it work. */
export function formatChannelTable(config: Config): string {
  return formatTable(readChannelHealth(config.home, config).map(health => formatRow(health, config)))
}

/** Why notifications are not arriving; empty while all is well. Its own failure does not stop the caller. */
export function getChannelWarning(config: Config): string {
  try {
    return readChannelHealth(config.home, config)
      .flatMap(({ problem }) => problem ?? [])
      .join('; ')
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return error.message
  }
}

/** The line below a list or a session while notifications are not arriving. */
export function printChannelWarning(config: Config): void {
  const warning = getChannelWarning(config)
  if (warning !== '')
    print(paint('yellow', `\nNotifications are not arriving: ${sanitize(warning)}. See: dispatch notify log`))
}

// --- internal ---

const detailTexts: Record<Config['NOTICE_DETAIL'], string> = {
  state: 'the session’s id (with the first words of the task) and its state',
  title: 'the session’s id, its state and its title',
  full: 'the session’s id, its state, its title, and the question or the reason',
}

const switchOnHints = {
  desktop: 'DESKTOP=on switches it on',
  phone: '`dispatch notify setup` sets it up',
  webhook: '`dispatch notify setup --webhook` sets it up',
}

function formatRow(health: ChannelHealth, config: Config): string[] {
  const { channel, isOn, problem, waiting, sentAt } = health
  if (!isOn) return [channel, paint('dim', 'off'), paint('dim', switchOnHints[channel])]
  const destination = describeDestination(channel, config)
  if (problem !== undefined) return [channel, paint('red', 'failing'), `${destination}; ${sanitize(problem)}`]
  const elapsed = sentAt === null ? '' : formatRelativeTime(sentAt)
  const last = sentAt === null ? 'nothing sent yet' : `last sent ${elapsed === 'just now' ? elapsed : `${elapsed} ago`}`
  const queue = waiting === 0 ? [] : [`${waiting} waiting`]
  return [channel, paint('green', 'on'), [destination, last, ...queue].join('; ')]
}
