/** The options of `dispatch split`. */
export const splitOptions = {
  accept: { type: 'boolean', about: 'make the proposed issues; if it is cut off, run it again' },
  edit: { type: 'boolean', about: 'with --accept: open the proposal in EDITOR before' },
  yes: { type: 'boolean', about: 'with --accept: do not ask' },
  model: { type: 'string', value: 'MODEL', about: 'who proposes (default: ORCHESTRATOR_MODEL, opus)' },
  sandbox: { type: 'string', value: 'MODE', about: 'auto, required or off: without one it sees only names of files' },
  repo: { type: 'string', value: 'DIR', about: 'the checkout (default: the one of the current folder)' },
  remote: { type: 'string', value: 'REMOTE', about: 'the remote whose issues are meant (default: origin)' },
  json: { type: 'boolean', about: 'print one JSON object instead of text' },
} as const

/** What a proposal takes, and its acceptance. */
export const splitForms = {
  options: {
    '<number>': ['model', 'sandbox', 'repo', 'remote', 'json'],
    '<number> --accept': ['accept', 'edit', 'yes', 'repo', 'remote', 'json'],
  },
  choose: ({ accept }: { accept?: boolean }) => (accept ? '<number> --accept' : '<number>'),
} as const
