export { type AuditPart, type AuditProblem, auditParts } from './problem.ts'
export { type AuditReport, auditSession } from './run.ts'
