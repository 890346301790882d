/** The options of `dispatch actions`. */
export const actionsOptions = {
  repo: { type: 'string', value: 'DIR', about: 'the checkout (default: the one of the current folder)' },
  label: { type: 'string', value: 'NAME', about: 'issues with this label start (default: dispatch)' },
  sandbox: { type: 'string', value: 'MODE', about: 'required (default), or off: agents then have all rights there' },
  source: { type: 'string', value: 'URL', about: 'where the runner fetches dispatch (default: as your clone does)' },
  commit: { type: 'string', value: 'HASH', about: 'with --source: which commit (default: the one that runs here)' },
  'dry-run': { type: 'boolean', about: 'show the difference, and write nothing' },
  force: { type: 'boolean', about: 'also replace or remove a file that dispatch has not written' },
  'pull-request': { type: 'boolean', about: 'with report: open a PASS as a pull request first' },
  problem: { type: 'string', value: 'FILE', about: 'with report: what was said, where no session has started' },
  json: { type: 'boolean', about: 'print one JSON object instead of text' },
} as const

const ofWorkflow = ['label', 'sandbox', 'source', 'commit'] as const
const ofFile = ['repo', 'dry-run', 'force', 'json'] as const

/** What each action of `dispatch actions` takes. */
export const actionsForms = {
  options: {
    show: ofWorkflow,
    install: [...ofWorkflow, ...ofFile],
    uninstall: ofFile,
    task: ['label'],
    report: ['pull-request', 'problem', 'json'],
  },
} as const
