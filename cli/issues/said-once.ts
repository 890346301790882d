import { ToldOnce } from '#intake'

/** What was said about some things, so that each is said once: in this process, or with a home also after a restart. */
export class SaidOnce {
  private readonly told: ToldOnce | undefined
  private readonly lines = new Map<string, string>()

  constructor(home?: string) {
    this.told = home === undefined ? undefined : new ToldOnce(home, 'issues')
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
}
