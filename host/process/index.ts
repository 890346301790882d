export { type AgentMarks, buildUnprivilegedCommand, explainAgent, hasFileOpen, listAncestors } from './ancestry.ts'
export { checkLiveness, identify, type Liveness, ProcessIdentity } from './identity.ts'
export { killProcessTree } from './kill.ts'
export { describePlace, readPlace, readPlaceTag } from './place.ts'
