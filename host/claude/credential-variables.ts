/** Variables that hold a credential of Anthropic's API or of a gateway. */
export const credentialVariables = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN']

/** Does the environment hold a credential of the API or a gateway? */
export function hasCredentialVariable(environment = process.env): boolean {
  return credentialVariables.some(name => environment[name])
}
