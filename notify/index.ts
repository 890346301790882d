export type { Delivery } from './delivery.ts'
export { Notice, noticeOf } from './notice.ts'
export { type Channels, push } from './push.ts'
