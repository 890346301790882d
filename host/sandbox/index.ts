export { detectSandbox } from './detect.ts'
export { buildPolicy, isUnder, parseHost, SandboxPolicy, SandboxResult } from './policy.ts'
export { runSandboxed } from './run.ts'
export { isClosed, runClosed } from './run-closed.ts'
