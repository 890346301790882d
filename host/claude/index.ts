export {
  buildHeadlessArguments,
  buildInteractiveArguments,
  claudeInstallHint,
  claudeVariables,
  createTrustEntry,
  detectLogin,
  diagnoseScreen,
  findClaude,
  findSettingsFiles,
  findUserSettings,
  isTrusted,
  type Login,
  parseStreamLine,
  prepareLogin,
  readClaudeConfig,
  type StreamEvent,
  type StreamResult,
  seedConfig,
} from './claude.ts'
export { findTranscript, type InputLine, parseInputLine, parseTranscriptPrompts } from './input-line.ts'
export { requireLogin } from './login.ts'
