export { type AppOptions, createApp } from './app.ts'
export { renderMatrixHtml } from './matrix.ts'
export { findRunningServer, probePort } from './running.ts'
export { type ServeResult, startServer } from './serve.ts'
