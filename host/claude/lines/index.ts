export { type AnswerUsage, estimateUsd, parseUsage } from './token-cost.ts'
export { parseToolTraffic, type ToolTraffic } from './tool-calls.ts'
