export { buildHeadlessArguments, buildInteractiveArguments, claudeVariables } from './arguments.ts'
export {
  createTrustEntry,
  findSettingsFiles,
  findUserSettings,
  isTrusted,
  readClaudeConfig,
  seedConfig,
} from './config.ts'
export { claudeInstallHint, findClaude } from './find.ts'
export { type InputLine, parseInputLine } from './input-line.ts'
export { detectLogin, type Login, prepareLogin, requireLogin } from './login.ts'
export { diagnoseScreen } from './screen.ts'
export { parseStreamLine, type StreamEvent, type StreamResult } from './stream.ts'
export { findTranscript, parseTranscriptPrompts } from './transcript.ts'
