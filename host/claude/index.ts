export { buildHeadlessArguments, buildInteractiveArguments, claudeVariables } from './arguments.ts'
export {
  createTrustEntry,
  findSettingsFiles,
  isTrusted,
  locateClaudeFiles,
  readClaudeConfig,
  seedConfig,
} from './config.ts'
export { hasCredentialVariable } from './credential-variables.ts'
export { claudeInstallHint, findClaude } from './find.ts'
export { type InputLine, parseInputLine } from './input-line.ts'
export { detectLogin, type Login, prepareLogin, requireLogin } from './login.ts'
export { diagnoseScreen } from './screen.ts'
export { parseStreamLine } from './stream.ts'
export { findTranscript, hasEndedTurn, hasModelAnswer, parseTranscriptPrompts } from './transcript.ts'
export { readUserSettings } from './user-settings.ts'
