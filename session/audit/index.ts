export { type AuditReport, auditSession } from './audit.ts'
export { type AuditPart, type AuditProblem, auditParts } from './problem.ts'
