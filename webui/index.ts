export { findRunningServer, probePort, readHealth, readPageCode, stopRunningServer } from './find-server.ts'
export { renderMatrixHtml, startServer } from './on-demand.ts'
export type { ServeResult } from './server.ts'
