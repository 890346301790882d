export { type AppOptions, createApp } from './app.ts'
export { findRunningServer, probePort } from './find-server.ts'
export { renderMatrixHtml } from './pages/matrix.ts'
export { type ServeResult, startServer } from './server.ts'
