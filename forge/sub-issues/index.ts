export { removeHidden } from '../issues/visible-text.ts'
export { addSubIssue, createIssue, findMarkedIssues, listSubIssues, type MadeIssue } from './sub-issues.ts'
