export { type FencedBlock, readFencedTask, renderFencedTask } from './fence.ts'
