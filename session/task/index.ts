export { type QuotedBlock, readQuotedTask, renderQuotedTask } from './quoted-task.ts'
