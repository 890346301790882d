/** Something that can be removed, and why nothing is lost with it. */
export interface Removable {
  kind:
    | 'session'
    | 'dependencies'
    | 'history'
    | 'log'
    | 'notifications'
    | 'queue'
    | 'records'
    | 'leftovers'
    | 'socket'
    | 'version'
  /** What it is, for people. */
  name: string
  reason: string
  /** What removing it frees, as far as it is known. */
  bytes: number
  /** Remove it, if that is still right. Returns false if it is not any more. */
  remove(): Promise<boolean>
}
