import type { Config } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { sanitize } from '#host/text.ts'
import { type ChannelHealth, readChannelHealth } from '#notify'
import { formatRelativeTime, formatTable, paint, print } from '../output/terminal.ts'
import { describeDestination } from './test-result.ts'
/** `dispatch notify`: which channels there are, and whether they work. */
export function printChannels(config: Config, json: boolean): number {
  if (json) {
    print(JSON.stringify(readChannelHealth(config.home, config)))
    return exitCodes.ok
  }
  print(formatChannelTable(config))
  print(`
Quiet hours: ${config.QUIET_HOURS === '' ? 'none' : `${config.QUIET_HOURS}; notices wait, unless a deadline presses`}
A notice says: ${detailTexts[config.NOTICE_DETAIL]}

  dispatch notify setup   set up a phone, with a QR code; a webhook; quiet hours
  dispatch notify test    send one notice by every channel that is on
  dispatch notify log     what was sent, what waits, and why`)
  return exitCodes.ok
}

/** Each channel: is it on, by what does it go, how is it. */
export function formatChannelTable(config: Config): string {
  return formatTable(readChannelHealth(config.home, config).map(one => formatRow(one, config)))
}

const detailTexts: Record<Config['NOTICE_DETAIL'], string> = {
  state: 'the session’s id, which begins with words of the task, and its state',
  title: 'the session’s id, its state and its title',
  full: 'the session’s id, its state, its title, and what was asked or why',
}

function formatRow(health: ChannelHealth, config: Config): string[] {
  const { channel, isOn, problem, waiting, sentAt } = health
  if (!isOn) return [channel, paint('dim', 'off'), paint('dim', switchOnHints[channel])]
  if (problem !== undefined)
    return [channel, paint('red', 'sick'), `${describeDestination(channel, config)}; ${sanitize(problem)}`]
  const last = sentAt === null ? 'nothing was sent yet' : `last sent ${formatAgo(sentAt)}`
  const rest = waiting === 0 ? [] : [`${waiting} ${waiting === 1 ? 'waits' : 'wait'}`]
  return [channel, paint('green', 'on'), [describeDestination(channel, config), last, ...rest].join('; ')]
}

const switchOnHints = {
  desktop: 'DESKTOP=on switches it on',
  phone: '`dispatch notify setup` sets it up',
  webhook: '`dispatch notify setup --webhook` asks for its address',
}

function formatAgo(at: string): string {
  const since = formatRelativeTime(at)
  return since === 'just now' ? since : `${since} ago`
}
