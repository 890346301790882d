import { type Config, exits, printable } from '../../host/index.ts'
import { type ChannelHealth, healthOf } from '../../notify/index.ts'
import { age, paint, print, table } from '../terminal.ts'
import { wayOf } from './proof.ts'

/** `dispatch notify`: which channels there are, and whether they work. */
export function overview(config: Config, json: boolean): number {
  if (json) {
    print(JSON.stringify(healthOf(config.home, config)))
    return exits.ok
  }
  print(channelTable(config))
  print(`
Quiet hours: ${config.QUIET_HOURS === '' ? 'none' : `${config.QUIET_HOURS}; notices wait, unless a deadline presses`}
A notice says: ${detail[config.NOTICE_DETAIL]}

  dispatch notify setup   set up a phone, with a QR code; a webhook; quiet hours
  dispatch notify test    send one notice by every channel that is on
  dispatch notify log     what was sent, what waits, and why`)
  return exits.ok
}

/** Each channel: is it on, by what does it go, how is it. */
export function channelTable(config: Config): string {
  return table(healthOf(config.home, config).map(one => row(one, config)))
}

const detail: Record<Config['NOTICE_DETAIL'], string> = {
  state: 'the session’s id, which begins with words of the task, and its state',
  title: 'the session’s id, its state and its title',
  full: 'the session’s id, its state, its title, and what was asked or why',
}

function row(health: ChannelHealth, config: Config): string[] {
  const { channel, on, sick, waiting, sentAt } = health
  if (!on) return [channel, paint('dim', 'off'), paint('dim', howToSwitchOn[channel])]
  if (sick !== undefined) return [channel, paint('red', 'sick'), `${wayOf(channel, config)}; ${printable(sick)}`]
  const last = sentAt === null ? 'nothing was sent yet' : `last sent ${ago(sentAt)}`
  const rest = waiting === 0 ? [] : [`${waiting} ${waiting === 1 ? 'waits' : 'wait'}`]
  return [channel, paint('green', 'on'), [wayOf(channel, config), last, ...rest].join('; ')]
}

const howToSwitchOn = {
  desktop: 'DESKTOP=on switches it on',
  phone: '`dispatch notify setup` sets it up',
  webhook: '`dispatch notify setup --webhook` asks for its address',
}

function ago(at: string): string {
  const since = age(at)
  return since === 'just now' ? since : `${since} ago`
}
