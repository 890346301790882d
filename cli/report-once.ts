import { MINUTE_MS } from '#host/time.ts'
import { NotifyOnce } from './notify-once.ts'

/**
 * What was said about some things, such as repositories, so that each is said once: in this process, or with the folder of a home also
 * after a restart. What fails is said until something works again, and rests for a minute.
 */
export class ReportOnce {
  private readonly told: NotifyOnce | undefined
  private readonly lines = new Map<string, string>()
  private readonly restsUntilMs = new Map<string, number>()

  constructor(home?: string, kind: ConstructorParameters<typeof NotifyOnce>[1] = 'issues') {
    this.told = home === undefined ? undefined : new NotifyOnce(home, kind)
  }

  /** Returns whether it is to be said: it was not the last that was said about this key, which is a path. */
  note(key: string, line: string): boolean {
    if (this.lines.get(key) === line) return false
    this.lines.set(key, line)
    return this.told?.tell(key, '', line, () => undefined) ?? true
  }

  /** Forget what was said about a key and what is below it, besides these keys: it is said again then. */
  forget(key: string, kept: string[] = []): void {
    for (const each of this.lines.keys())
      if (`${each}/`.startsWith(`${key}/`) && !kept.includes(each)) this.lines.delete(each)
    this.told?.keep(key, new Set(kept))
  }

  rests(place: string): boolean {
    return (this.restsUntilMs.get(place) ?? 0) > performance.now()
  }

  succeed(place: string): void {
    this.restsUntilMs.delete(place)
    this.forget(`failed/${place}`)
  }

  /** Returns whether it is to be said. */
  fail(place: string, message: string): boolean {
    this.restsUntilMs.set(place, performance.now() + MINUTE_MS)
    return this.note(`failed/${place}`, message)
  }
}
