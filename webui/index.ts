export { createApp, type Observed } from './app.ts'
export { matrixHtml } from './matrix.ts'
export { runningPage, whoAnswers } from './running.ts'
export { type Served, serve } from './serve.ts'
