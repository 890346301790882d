import { appendUntrusted, DispatchError } from '../host/index.ts'
import type { Session } from '../session/index.ts'
import type { Told } from './spool.ts'

/**
 * Which fields each kind of hook comes with, kept the first time they are seen: names only, never a value. The hooks' own
 * files are gone once they are read, and `dispatch smoke-test` wants to know how claude spoke.
 */
export class HookFields {
  private readonly seen = new Set<string>()

  /** Contract: must not throw for what the disk does. Nothing else rests on this file. */
  note(told: Told, { opening, paths }: Session): void {
    const { session_id: speaker, hook_event_name: hook } = told
    if (speaker === undefined || !told.left.whole || !/^\w{1,60}$/.test(hook)) return // Our own guard's word has no session.
    const of = speaker === opening.claude.session ? 'orchestrator' : 'worker'
    const fields = Object.keys(told).filter(
      name => told[name] !== undefined && name !== 'left' && /^\w{1,60}$/.test(name),
    )
    const line = JSON.stringify({ hook, of, fields: fields.sort().slice(0, 100) })
    if (this.seen.has(line) || this.seen.size >= most) return
    this.seen.add(line)
    try {
      appendUntrusted(paths.hooks, `${line}\n`)
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error // A full disk is told of by what matters more.
    }
  }
}

/** Lines of one runner. */
const most = 200
