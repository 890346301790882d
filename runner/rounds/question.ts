import fs from 'node:fs'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readUntrusted, writeAtomic } from '#host/fs'
import { sha256 } from '#host/hash.ts'
import type { Commit } from '#session/repository'
import type { Gate, Packet } from '#validator'
import type { RunnerContext } from '../context.ts'

/** A round whose gates have run: everything that its verdict needs besides the judge's answer. */
export interface JudgedRound {
  round: number
  /** The orchestrator's request that began it. */
  requestId: string
  head: Commit
  gates: Gate[]
  /** Null if no packet could be built without a leak. */
  packet: Packet | null
}

/** A round that the judge can be asked about. */
export type JudgeQuestion = JudgedRound & { packet: Packet }

/** More than a packet with the evidence of its gates can have. */
const MAX_QUESTION_BYTES = 16 * 1024 * 1024

/** Keep the question, so that the judge can be asked again about exactly this tree, and record its hash. */
export function keepQuestion(context: RunnerContext, question: JudgeQuestion): void {
  const { paths } = context.session
  const text = JSON.stringify(question)
  writeAtomic(paths.packet(question.round), question.packet.packet)
  writeAtomic(paths.judgeQuestion(question.round), text)
  context.record({ type: 'judge.asked', round: question.round, sha256: sha256(text) })
}

/** The kept question of the last round. Throws exit 13 unless it is byte for byte what the judge was asked. */
export function readQuestion({ session, status }: Pick<RunnerContext, 'session' | 'status'>): JudgeQuestion {
  const { judgeQuestion } = status
  if (judgeQuestion === undefined) throw new Error('the judge was not asked yet')
  const file = session.paths.judgeQuestion(judgeQuestion.round)
  const bytes = readUntrusted(file, MAX_QUESTION_BYTES)
  if (bytes && sha256(bytes) === judgeQuestion.sha256) return JSON.parse(bytes.toString('utf8')) as JudgeQuestion
  const damage = fs.existsSync(file) ? 'was changed after it was recorded' : 'is missing'
  throw new DispatchError(`evidence/question-${judgeQuestion.round}.json ${damage}`, { exitCode: exitCodes.integrity })
}
