import { type OptionValues, UsageError } from '../command.ts'
import { readClaim } from '../queue/claim.ts'
import { parseAllowedHost } from './sandbox-options.ts'
import { parseFutureTime } from './task-input.ts'

/** The options of `dispatch "task"`, as its help shows them. */
export const taskOptions = {
  wait: {
    type: 'boolean',
    about: 'wait, show the progress, and exit with the verdict (0 PASS, 3 FAIL, 12 INCONCLUSIVE or it needs you)',
  },
  'no-wait': {
    type: 'boolean',
    about: 'return at once, before the model has answered; `dispatch ls` shows whether the session has started',
  },
  json: { type: 'boolean', about: 'print one JSON object instead of text' },
  file: { type: 'string', value: 'FILE', about: 'read the task from this file' },
  repo: {
    type: 'string',
    value: 'DIR',
    about: 'work on a copy of this git repository (default: the one of the current folder)',
  },
  'no-setup': {
    type: 'boolean',
    about: 'ignore .dispatch.json: workers and checks get no dependencies',
  },
  'no-repo': { type: 'boolean', about: 'start with an empty repository' },
  model: { type: 'string', value: 'MODEL', about: "the orchestrator's model (default: ORCHESTRATOR_MODEL, opus)" },
  'code-model': { type: 'string', value: 'MODEL', about: 'the model of code workers (default: CODE_MODEL, opus)' },
  'rw-model': { type: 'string', value: 'MODEL', about: 'the model of rw workers (default: RW_MODEL, sonnet)' },
  deadline: {
    type: 'string',
    value: 'HH:MM',
    about:
      'when you want the verdict; notifications that need you then ignore quiet hours (a time of day, or 2026-11-21T06:30)',
  },
  approve: { type: 'boolean', about: 'stop when the contract is ready, until you approve it: dispatch approve <sid>' },
  sandbox: {
    type: 'string',
    value: 'MODE',
    about: 'isolate agents and checks: auto, required (else do not start) or off (default: SANDBOX, auto)',
  },
  'allow-host': {
    type: 'string',
    multiple: true,
    value: 'HOST',
    about: 'let agents in a sandbox reach this host besides the model API; repeat it for more hosts',
  },
  retry: {
    type: 'string',
    value: 'SID',
    isInternal: true,
    about: 'give the agents what came of this session, which failed at the same task (see dispatch retry)',
  },
  'base-of': {
    type: 'string',
    value: 'SID',
    isInternal: true,
    about: 'begin where the branch was on which the work of this session did not land (see dispatch land)',
  },
  queue: { type: 'boolean', about: 'put the task into the queue instead: the same as dispatch later' },
  force: { type: 'boolean', about: 'start it although dispatch is paused; the record says so' },
  'allow-judged-only': { type: 'boolean', about: 'accept a contract in which no clause has a check' },
} as const

/** The part of a request that the options decide by themselves. Exit 2 for a value that is not valid. */
export function parseTaskOptions(values: OptionValues<typeof taskOptions>) {
  if (values.repo !== undefined && values['no-repo'])
    throw new UsageError('--repo and --no-repo contradict each other', 'Use only one of them.')
  if (values.wait && values['no-wait'])
    throw new UsageError('--wait and --no-wait contradict each other', 'Use only one of them.')
  const ofStart = (['wait', 'no-wait', 'force'] as const).find(name => values.queue && values[name])
  if (ofStart !== undefined)
    throw new UsageError(
      `--${ofStart} is for a start now, and not for --queue`,
      'Leave one of them out. To wait for what the queue starts: dispatch wait <sid>',
    )
  for (const name of ['model', 'code-model', 'rw-model'] as const)
    if (values[name]?.trim() === '')
      throw new UsageError(`--${name} has no name`, `Name a model, such as --${name} opus, or leave the option out.`)
  return {
    repositoryFolder: values['no-repo'] ? null : values.repo,
    models: { orchestrator: values.model, code: values['code-model'], rw: values['rw-model'] },
    allowedHosts: (values['allow-host'] ?? []).map(parseAllowedHost),
    allowsJudgedOnly: values['allow-judged-only'] ?? false,
    requiresApproval: values.approve ?? false,
    deadline: values.deadline === undefined ? null : readDeadline(values.deadline),
  }
}

// --- internal ---

/** The queue also starts what its deadline has passed: that only says when its person wanted the verdict. */
function readDeadline(text: string): string {
  return readClaim() === null ? parseFutureTime(text, '--deadline', new Date()) : text
}
