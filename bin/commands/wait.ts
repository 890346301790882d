import fs from 'node:fs'
import { type Config, DispatchError, exits, printable, readConfig, shellWord } from '../../host/index.ts'
import { startSuccessor } from '../../runner/index.ts'
import {
  advance,
  awaitsApproval,
  changedSinceVerdict,
  type Event,
  follow,
  nothing,
  readLog,
  recordOf,
  type Session,
  type Status,
  settled,
  stateOf,
  tell,
  viewAll,
  viewOf,
  voidBy,
} from '../../session/index.ts'
import { revive } from '../../watchdog/index.ts'
import { chosen } from '../chosen.ts'
import { defineCommand } from '../command.ts'
import { lenientConfig } from '../lenient.ts'
import { paint, paintState, print, printMoment } from '../terminal.ts'

export const command = defineCommand({
  about: `
Blocks until the session has a verdict, asks you something, or has ended. Exit code: 0 PASS, 3 FAIL, 12 INCONCLUSIVE or it
waits for you, and what made it fail if it never started. Without an id: the newest session.
`,
  options: {
    json: { type: 'boolean', about: 'one JSON object on standard output instead of words' },
  },
  async run(values, words) {
    const session = chosen(lenientConfig(), words[0])
    const outcome = await outcomeOf(session)
    if (values.json) print(JSON.stringify(outcome))
    else printEnd(session, outcome.status)
    return outcome.exit
  },
})

export interface Outcome {
  id: string
  state: string
  exit: number
  status: Status
  /** Of all that the judge was given; null where nothing was sent, or no verdict is written. */
  packetSha256: string | null
}

/** Wait in silence for the end. */
export async function outcomeOf(session: Session): Promise<Outcome> {
  const status = await asItStands(session, await settle(session, () => undefined))
  const state = stateOf(status, (await viewOf(session)).runner)
  const packetSha256 = recordOf(session.paths, status)?.packetSha256 ?? null
  return { id: session.id, state, exit: exitOf(status), status, packetSha256 }
}

/** Tell the story as it happens; at the end the verdict, the deliverable and where to look. Answers the exit code. */
export async function watchToEnd(session: Session): Promise<number> {
  const told = await settle(session, (event, status) => {
    const moment = tell(event)
    if (moment) printMoment(moment, Date.parse(event.at) - Date.parse(status.openedAt))
  })
  const status = await asItStands(session, told)
  printEnd(session, status)
  return exitOf(status)
}

async function settle(session: Session, see: (event: Event, status: Status) => void): Promise<Status> {
  const config = settingsNow() // Once: an .env that is broken meanwhile ends no waiting.
  let status = nothing
  let seen = 0
  let isSure = false
  let { length } = readLog(session.paths.events).events // What has happened already: only after it can the end be told.
  const over = new AbortController()
  const healer = setInterval(() => void heal(config), 5000) // Else nothing would ever come.
  try {
    for await (const event of follow(session.paths.events, { signal: over.signal })) {
      status = advance(status, event)
      see(event, status)
      if (++seen < length || !settled(status)) continue
      if (isSure || !(await mayBeForged(session, status))) return status
      isSure = true
      length = readLog(session.paths.events).events.length
      if (seen >= length) return status
    }
  } finally {
    clearInterval(healer)
  }
  return status
}

/** A verdict is void as soon as the work was changed: also where no runner is left to say so, or has not looked yet. */
async function asItStands({ paths }: Session, status: Status): Promise<Status> {
  const { verdict, phase } = status
  if (!verdict?.final || verdict.voided || phase !== verdict.verdict) return status
  const voided = voidBy(await changedSinceVerdict(paths, status))
  return voided === undefined ? status : { ...status, verdict: { ...verdict, voided } }
}

/** A verdict that was only just written may be another's than the runner's, who sees that at its next look. */
async function mayBeForged({ paths }: Session, { phase }: Status): Promise<boolean> {
  const { ctimeMs } = fs.statSync(paths.events)
  if (phase !== 'PASS' || Date.now() - ctimeMs > 2000) return false
  await new Promise(resolve => setTimeout(resolve, 800))
  return true
}

/** Undefined while `.env` does not read: then no runner could be started that would go by it. */
function settingsNow(): Config | undefined {
  try {
    return readConfig()
  } catch (error) {
    if (error instanceof DispatchError) return undefined
    throw error
  }
}

async function heal(config: Config | undefined): Promise<void> {
  if (config !== undefined) await revive(await viewAll(config.workspace), config, startSuccessor).catch(() => undefined)
}

function exitOf(status: Status): number {
  if (status.verdict?.voided) return exits.inconclusive
  if (status.phase === 'PASS') return exits.ok
  if (status.phase === 'FAIL') return exits.fail
  if (status.phase === 'needs you') return status.troubleExit ?? exits.inconclusive
  return status.phase === 'failed' ? (status.startExit ?? exits.internal) : exits.inconclusive
}

/** Why it stands where it stands: what is asked or wrong now, before a verdict that was given earlier. */
function reasonOf({ phase, question, trouble, verdict, closed }: Status): string {
  const now = phase === 'asking' ? question : phase === 'needs you' || phase === 'failed' ? trouble : undefined
  return now ?? (verdict?.voided && `VOID: ${verdict.voided}`) ?? verdict?.reason ?? trouble ?? closed?.why ?? ''
}

function printEnd(session: Session, status: Status): void {
  const { id, paths } = session
  print()
  print(`${paintState({ status, runner: 'alive' })}  ${printable(reasonOf(status))}`)
  for (const clause of status.clauses.filter(known => known.verdict))
    print(`  ${clause.id.padEnd(4)} ${clause.verdict?.padEnd(12)} ${printable(clause.sentence)}`)
  print()
  if (status.verdict)
    print(`  work     git fetch ${shellWord(paths.trees)} judged     (commit ${status.verdict.commit.slice(0, 10)})`)
  if (status.verdict) print(`  judged   independence: ${printable(status.verdict.independence)}`)
  print(`  files    ${paths.outputs}`)
  print(`  record   dispatch show ${id.slice(-4)}${status.verdict ? `, ${paths.verdict}` : ''}`)
  if (awaitsApproval(status)) print(paint('bold', `  approve  dispatch approve ${id.slice(-4)}`))
  else if (status.phase === 'asking' || status.phase === 'needs you')
    print(paint('bold', `  answer   dispatch say ${id.slice(-4)} "…", or dispatch attach ${id.slice(-4)}`))
}
