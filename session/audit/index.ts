export { type AuditPart, type AuditProblem, auditParts } from './audit.ts'
export { type AuditReport, auditSession } from './run.ts'
