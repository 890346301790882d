export { type AgentMarks, buildUnprivilegedCommand, explainAgent, hasFileOpen, listAncestors } from './ancestry.ts'
export { checkLiveness, identify, killProcessTree, type Liveness, type ProcessIdentity } from './process.ts'
