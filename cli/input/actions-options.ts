import { type OptionValues, UsageError } from '../command.ts'

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

/** The actions of `dispatch actions`. */
export const listActions = (): string[] => Object.keys(optionsOfActions)

/** Exit 2 for an action that is not known, and for an option that it does not take. */
export function checkAction(action: string, values: OptionValues<typeof actionsOptions>): void {
  const own = optionsOfActions[action]
  if (own === undefined)
    throw new UsageError(`actions has no action "${action}"`, `Write one of: ${listActions().join(', ')}`)
  const foreign = Object.entries(values).find(([name, value]) => value !== undefined && !own.includes(name))?.[0]
  if (foreign === undefined) return
  const places = listActions().filter(name => optionsOfActions[name]?.includes(foreign))
  throw new UsageError(
    `\`dispatch actions ${action}\` does not accept --${foreign}`,
    `It belongs to ${places.map(name => `actions ${name}`).join(', ')}`,
  )
}

// --- internal ---

const ofWorkflow = ['label', 'sandbox', 'source', 'commit']
const ofFile = ['repo', 'dry-run', 'force', 'json']

const optionsOfActions: Record<string, string[]> = {
  show: ofWorkflow,
  install: [...ofWorkflow, ...ofFile],
  uninstall: ofFile,
  task: ['label'],
  report: ['pull-request', 'problem', 'json'],
}
