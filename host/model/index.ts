export { applyModelVariables, getTokenFile, keepToken, removeToken } from './kept-token.ts'
export { requireReadableLogin } from './login-store.ts'
export { createPlaceholder, relayedVariableNames } from './placeholder.ts'
export { ModelPolicy } from './policy.ts'
export {
  detectProvider,
  listHiddenLoginVariables,
  listLoginFiles,
  listModelHosts,
  requireModelAccess,
} from './provider.ts'
export { readStoredLogin, renderPlaceholderLogin } from './stored-login.ts'
export { isUnreachable, unreachableWords } from './unreachable.ts'
