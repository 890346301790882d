/** How the relay of an agent begins its answer to a request that does not reach the model. Claude shows it as a refusal. */
export const unreachableWords = 'dispatch cannot reach the model at'

/** Does claude say that its model cannot be reached, and not that it refuses? Pure. */
export function isUnreachable(text: string): boolean {
  return offlinePattern.test(text)
}

// --- internal ---

/** What claude 2.1.329 and older ones say when no answer comes, and the relay's own words. */
const offlinePattern =
  /unable to connect|failed to connect|connection (refused|error)|can.t reach the api server|no internet route|couldn.t connect through your proxy|cannot reach the model/i
