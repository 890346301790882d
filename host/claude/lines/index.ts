export { parseToolTraffic, type ToolTraffic } from './tool-calls.ts'
