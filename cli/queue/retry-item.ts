import type { NewItem } from '#queue'
import type { Session } from '#session'
import { readSettings } from '../input/earlier-attempt.ts'

/** A new attempt that dispatch makes by itself. */
interface Retry extends Pick<NewItem, 'key' | 'task' | 'title' | 'source'> {
  checkout: string
}

/** The item of a new attempt at the work of a session: with its settings, told what came of it, from where it did not go on. */
export async function buildRetryItem(session: Session, { checkout, ...rest }: Retry): Promise<NewItem> {
  const settings = Object.entries(await readSettings(session))
  return {
    ...rest,
    repository: session.manifest.repository?.path ?? checkout,
    options: [
      ...['--repo', checkout, '--retry', session.id, '--base-of', session.id],
      ...settings.flatMap(([name, value]) =>
        value === true ? [`--${name}`] : [value].flat().flatMap(each => [`--${name}`, String(each)]),
      ),
    ],
    priority: 'high',
    needs: [],
    notBefore: null,
    after: [],
  }
}
