/**
 * Why the terminal shows no working claude: a dialog or a message that is known. Undefined for any other screen. Pure.
 */
export function diagnoseScreen(screen: string): { reason: string; needsPerson: boolean } | undefined {
  const diagnosis = diagnoses.find(({ pattern }) => pattern.test(screen))
  return diagnosis && { reason: diagnosis.reason, needsPerson: diagnosis.needsPerson }
}

// --- internal ---

/** The first that matches counts. */
const diagnoses: { pattern: RegExp; reason: string; needsPerson: boolean }[] = [
  {
    pattern: /not logged in|please run \/login|select login method|invalid api key|oauth token (has )?expired/i,
    reason: 'claude is not logged in',
    needsPerson: true,
  },
  {
    pattern: /do you trust the (files|contents)|trust this folder|is this a project you (created|trust)/i,
    reason: 'claude asks whether to trust the folder',
    needsPerson: true,
  },
  {
    pattern: /choose the text style|let's get started/i,
    reason: 'claude shows its first-run screens',
    needsPerson: true,
  },
  { pattern: /detected a custom api key/i, reason: 'claude asks whether to use the API key', needsPerson: true },
  {
    pattern: /unable to connect|failed to connect|connection (refused|error)/i,
    reason: 'claude cannot reach its model',
    needsPerson: false,
  },
]
