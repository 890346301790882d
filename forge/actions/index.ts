export { type CommitVerdict, type ReportedVerdict, reportVerdict } from './commit-verdict.ts'
export { type ActionsSettings, readActionsSettings } from './settings.ts'
