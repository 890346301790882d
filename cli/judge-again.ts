import os from 'node:os'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { askJudgeAgain } from '#runner'
import { refuseNewerFormat, type Session } from '#session'
import { readLog } from '#session/log'
import { explainJudgeRefusal, isSettled, readView } from '#session/status'
import { sendMessage } from './input/send-message.ts'
import { settleClosed } from './queue/settle.ts'
import { followSession } from './wait-for-result.ts'

/** How long a runner may take to read the request, in seconds. */
const REQUEST_TIMEOUT_SECONDS = 30

/**
 * Have the judge asked again, and return when it has answered or given no answer once more. The session's runner does it; for a
 * session that has none, such as a closed one, this process does. Exit 5 where the judge may not be asked again.
 */
export async function askJudge(session: Session, config: Config): Promise<void> {
  refuseNewerFormat(session)
  const { status, runnerLiveness } = await readView(session)
  const refusal = explainJudgeRefusal(status)
  if (refusal !== undefined)
    throw new DispatchError(`session ${session.id} is not judged again: ${refusal}`, {
      exitCode: exitCodes.conflict,
      remedy: `To see its state: dispatch show ${session.id.slice(-4)}`,
    })
  if (status.closed || (isSettled(status) && runnerLiveness !== 'alive')) {
    await askJudgeAgain(session, config, os.userInfo().username || 'you')
    return settleClosed(config, session)
  }
  const { length } = readLog(session.paths.events).events
  await sendMessage(session, config, { kind: 'judge' }, REQUEST_TIMEOUT_SECONDS)
  await waitForJudge(session, length)
}

// --- internal ---

/** Wait until the judge that was asked after so many events has answered, is waited for again, or never will be. */
async function waitForJudge(session: Session, eventCount: number): Promise<void> {
  let seen = 0
  let isRequested = false
  await followSession(session, (event, status) => {
    isRequested ||= ++seen > eventCount && event.type === 'judging.requested'
    const isDamaged = status.phase === 'needs you' && status.problemExitCode === exitCodes.integrity
    const isOver = status.judgeWait === null || status.closed !== undefined || isDamaged
    return isRequested && (isOver || event.type === 'judging.parked')
  })
}
