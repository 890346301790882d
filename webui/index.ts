export { createApp } from './app.ts'
export { findRunningServer, probePort, readHealth, readPageCode, stopRunningServer } from './find-server.ts'
export { renderMatrixHtml } from './render.ts'
export { type ServeResult, startServer } from './server.ts'
