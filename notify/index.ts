export type { Delivery } from './delivery.ts'
export { Notice, noticeOf, type Wishes } from './notice.ts'
export { type Channel, channels, channelsOf, foldersOf, Message, post } from './outbox.ts'
export { type Channels, push } from './push.ts'
