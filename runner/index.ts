export { askToClose, closeSession, runSession } from './runner.ts'
export { startSession, startSuccessor, tmuxSession } from './start.ts'
