import path from 'node:path'
import type { Config } from '#host/config'
import { findTaskRepository } from '#host/git'
import { chooseModels } from '#host/project'
import { toOneLine } from '#host/text.ts'
import { type NewItem, type Priority, priorities } from '#queue'
import { findSession } from '#session'
import { type OptionValues, UsageError } from '../command.ts'
import { isAtTerminal } from './confirm.ts'
import { resolveProject } from './project.ts'
import { resolveSandbox } from './sandbox-options.ts'
import { parseFutureTime } from './task-input.ts'
import { parseTaskOptions, taskOptions } from './task-options.ts'

const {
  wait: _wait,
  'no-wait': _noWait,
  force: _force,
  queue: _queue,
  retry: _retry,
  'base-of': _baseOf,
  json,
  ...sessionOptions
} = taskOptions

/** The options of `dispatch later`: when, and those of the session that comes of it. */
export const queueOptions = {
  after: {
    type: 'string',
    multiple: true,
    value: 'ID',
    about: 'start after this item (q-17) or session has ended with PASS; repeat it for more',
  },
  at: { type: 'string', value: 'HH:MM', about: 'not before this time (a time of day, or 2026-11-21T06:30)' },
  priority: { type: 'string', value: 'PRIORITY', about: 'critical, high, default or low' },
  tag: {
    type: 'string',
    multiple: true,
    value: 'WORD',
    about: 'a label; `models` in .dispatch.json may have models for it',
  },
  needs: { type: 'string', multiple: true, value: 'WORD', about: 'only where CAPABILITIES has this word, such as gpu' },
  json,
  ...sessionOptions,
} as const

/** What each action of `dispatch queue` takes. */
export const queueForms = {
  options: {
    ls: ['all', 'json'],
    'show <item>': ['json'],
    'move <item>': ['priority', 'first', 'json'],
    'again <item>': ['json'],
    'rm <item>': ['json'],
  },
} as const

const MAX_TITLE_CHARS = 80

/**
 * What to queue. All that a start could refuse is refused here, while a person is there: options, repository, and a project file
 * that was not confirmed.
 */
export async function buildItem(
  config: Config,
  values: OptionValues<typeof queueOptions>,
  task: Buffer,
  { say, mayAsk = isAtTerminal() && !values.json }: { say: (line: string) => void; mayAsk?: boolean },
): Promise<NewItem> {
  const { repositoryFolder, deadline } = parseTaskOptions(values)
  const repository =
    repositoryFolder === null ? null : await findTaskRepository(repositoryFolder, [config.cloneFolder, config.home])
  const sandbox = await resolveSandbox(config, values.sandbox)
  const project = values['no-setup'] ? null : await resolveProject(config, repository, { sandbox, say, mayAsk })
  const folder = path.resolve(values.repo ?? process.cwd())
  const priority = parsePriority(values.priority)
  const tags = (values.tag ?? []).map(parseTag)
  const byLabel = chooseModels(project?.models ?? {}, { tags, priority })
  const models = {
    model: values.model ?? byLabel.orchestrator,
    'code-model': values['code-model'] ?? byLabel.code,
    'rw-model': values['rw-model'] ?? byLabel.rw,
  }
  return {
    repository: repository?.path ?? null,
    task,
    title: toOneLine(task.toString('utf8'), MAX_TITLE_CHARS),
    options: [
      ...(repository === null ? ['--no-repo'] : ['--repo', folder]),
      ...(deadline === null ? [] : ['--deadline', deadline]),
      ...Object.entries({ ...models, sandbox: values.sandbox }).flatMap(([name, value]) =>
        value === undefined ? [] : [`--${name}`, value],
      ),
      ...(['no-setup', 'approve', 'allow-judged-only'] as const).flatMap(name => (values[name] ? [`--${name}`] : [])),
      ...(values['allow-host'] ?? []).flatMap(host => ['--allow-host', host]),
    ],
    priority,
    ...(tags.length > 0 && { tags }),
    needs: (values.needs ?? []).map(parseCapability),
    notBefore: values.at === undefined ? null : parseFutureTime(values.at, '--at', new Date()),
    after: (values.after ?? []).map(id => (/^q-\d+$/.test(id) ? id : findSession(config.workspace, id).id)),
    source: 'shell',
  }
}

/** Exit 2 for a word that is no priority. */
export function parsePriority(text = 'default'): Priority {
  const priority = priorities.find(each => each === text)
  if (priority !== undefined) return priority
  throw new UsageError(`"${text}" is not a priority`, `Write one of: ${priorities.join(', ')}`)
}

// --- internal ---

function parseTag(text: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,79}$/.test(text)) return text
  throw new UsageError(`--tag takes a word such as docs, not "${text}"`)
}

function parseCapability(text: string): string {
  if (/^[a-z][a-z0-9-]{0,30}$/.test(text)) return text
  throw new UsageError(`--needs takes a word such as gpu, not "${text}"`)
}
