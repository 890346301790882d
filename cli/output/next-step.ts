import { exitCodes } from '#host/error.ts'
import { isAwaitingApproval, isOrchestratorGone, type SessionStatus } from '#session/status'

/** What you do about a session that waits for you, or was stopped: a word for it, and the command. */
export interface NextStep {
  label: string
  text: string
}

/** What you do about a session whose processes are gone. Pure. */
export function explainInterruption(letters: string): NextStep {
  return {
    label: 'go on',
    text: `dispatch resume ${letters} goes on with it now; the daemon takes it up when there is room`,
  }
}

/**
 * Undefined while the session does not wait for you. `letters`: the end of its id. `isAsleep`: no process of it runs, so there is
 * no terminal either, and the answer starts its claude again. Pure.
 */
export function findNextStep(status: SessionStatus, letters: string, isAsleep = false): NextStep | undefined {
  const { phase, problemExitCode, closed, verdict } = status
  if (closed && (phase === 'failed' || phase === verdict?.verdict)) return undefined
  if (closed && phase === 'asking')
    return {
      label: 'answer',
      text: `dispatch resume ${letters} "your answer", or try again: dispatch retry ${letters}`,
    }
  if (closed) return { label: 'go on', text: `dispatch resume ${letters}, or try again: dispatch retry ${letters}` }
  if (isAwaitingApproval(status)) return { label: 'approve', text: `dispatch approve ${letters}` }
  if (phase === 'needs you' && problemExitCode === exitCodes.integrity)
    return {
      label: 'verify',
      text: `dispatch audit ${letters} lists what was changed, dispatch stop ${letters} ends it`,
    }
  if (phase === 'needs you' && problemExitCode === exitCodes.login)
    return { label: 'log in', text: `run claude, then /login; after that, dispatch say ${letters} "go on"` }
  if (status.isTimeUp) return { label: 'go on', text: `dispatch resume ${letters} lets it work for as long again` }
  if (isOrchestratorGone(status))
    return {
      label: 'continue',
      text: `dispatch resume ${letters} starts claude again, with the whole conversation`,
    }
  if (isAsleep && (phase === 'asking' || phase === 'needs you'))
    return {
      label: 'answer',
      text: `dispatch say ${letters} "…", which also wakes it: it sleeps, and keeps everything`,
    }
  if (phase === 'asking' || phase === 'needs you')
    return { label: 'answer', text: `dispatch say ${letters} "…", or dispatch attach ${letters}` }
  return undefined
}
