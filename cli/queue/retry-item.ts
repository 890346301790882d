import type { NewItem } from '#queue'
import type { Session } from '#session'

/** A new attempt that dispatch makes by itself. */
interface Retry extends Pick<NewItem, 'key' | 'task' | 'title' | 'source'> {
  checkout: string
}

/** The item of a new attempt at the work of a session: with its settings, told what came of it, from where it did not go on. */
export function buildRetryItem({ id, manifest }: Session, { checkout, ...rest }: Retry): NewItem {
  const { requiresApproval, allowsJudgedOnly, allowedHosts, models, repository } = manifest
  return {
    ...rest,
    repository: repository?.path ?? checkout,
    options: [
      ...['--repo', checkout, '--model', models.orchestrator, '--retry', id, '--base-of', id],
      ...allowedHosts.flatMap(host => ['--allow-host', host]),
      ...(requiresApproval ? ['--approve'] : []),
      ...(allowsJudgedOnly ? ['--allow-judged-only'] : []),
    ],
    priority: 'high',
    needs: [],
    notBefore: null,
    after: [],
  }
}
