import type { Config } from '../host/index.ts'
import type { Delivery } from './delivery.ts'
import { showOnDesktop } from './desktop.ts'
import type { Notice } from './notice.ts'
import { type Phone, sendToPhone } from './phone.ts'

/** The settings that say which channels there are. */
export type Channels = Phone & Pick<Config, 'DESKTOP'>

/** Send a notice by every channel that is set, side by side. Never rejects; a channel that is off is not in the answer. */
export function push(notice: Notice, channels: Channels): Promise<Delivery[]> {
  return Promise.all([
    ...(channels.DESKTOP === 'on' ? [showOnDesktop(notice)] : []),
    ...(channels.NTFY_TOPIC === '' ? [] : [sendToPhone(notice, channels)]),
  ])
}
