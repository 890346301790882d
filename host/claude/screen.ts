/** Why the terminal shows no working claude: a known dialog or message. Undefined for any other screen. Pure. */
export function diagnoseScreen(screen: string): { reason: string; needsPerson: boolean } | undefined {
  const [, reason] = dialogs.find(([pattern]) => pattern.test(screen)) ?? []
  if (reason !== undefined) return { reason, needsPerson: true }
  const isOffline = /unable to connect|failed to connect|connection (refused|error)/i.test(screen)
  return isOffline ? { reason: 'claude cannot reach its model', needsPerson: false } : undefined
}

// --- internal ---

/** What only a person can answer. The first that matches counts. */
const dialogs: [pattern: RegExp, reason: string][] = [
  [
    /not logged in|please run \/login|select login method|invalid api key|oauth token (has )?expired/i,
    'claude is not logged in',
  ],
  [
    /do you trust the (files|contents)|trust this folder|is this a project you (created|trust)/i,
    'claude asks whether to trust the folder',
  ],
  [/choose the text style|let's get started/i, 'claude shows its first-run screens'],
  [/detected a custom api key/i, 'claude asks whether to use the API key'],
]
