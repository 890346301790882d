export { type AgentMarks, buildUnprivilegedCommand, explainAgent, hasFileOpen, listAncestors } from './ancestry.ts'
export { checkLiveness, identify, type Liveness, type ProcessIdentity } from './identity.ts'
export { killProcessTree } from './kill.ts'
