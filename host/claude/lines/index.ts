export { parseToolTraffic, type ToolTraffic } from './tool-calls.ts'
export { type AnswerUsage, estimateUsd, parseUsage } from './usage.ts'
