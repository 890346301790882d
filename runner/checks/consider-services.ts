import type { RunResult } from '#host/exec.ts'
import { isSocket } from '#host/fs'
import { listListeningPorts } from '#host/listeners.ts'
import { isUnder } from '#host/sandbox'
import { listEndedServices, readServiceProblem, type ServicePlan } from '#host/services'
import { formatNames } from '#host/text.ts'
import type { SessionManifest } from '#session'
import type { CheckResult } from './classify-run.ts'

/**
 * What the services beside a check, or one that it lacks, say about its result. Without a service that it needs a check could
 * not run: one of its own that did not become ready, or one of this machine, which the sandbox hides. The words by which the
 * latter is found can come from an agent. They lower a red result to one that proves nothing, and change no other. `scratch` is
 * the folder of the check: a socket there is its own.
 */
export function considerServices(
  result: CheckResult,
  run: Pick<RunResult, 'stdout' | 'stderr'>,
  command: string,
  plan: ServicePlan | undefined,
  { sandbox, scratch }: { sandbox: SessionManifest['sandbox']['kind']; scratch: string },
): CheckResult {
  const problem = plan && readServiceProblem(plan)
  if (problem !== undefined) return { outcome: 'could not run', reason: problem }
  if (result.outcome !== 'red') return result
  const ended = plan ? listEndedServices(plan) : []
  if (ended.length > 0)
    return { ...result, reason: `${result.reason}; service ${formatNames(ended)} ended before the check` }
  const output = `${run.stdout}\n${run.stderr}`
  const hidden = sandbox === 'bubblewrap' ? findHiddenService(output, command, scratch) : undefined
  if (hidden === undefined) return result
  const reason = `it needs the service at ${hidden}, which runs on this machine, but outside of the sandbox`
  return { outcome: 'could not run', reason }
}

/** The ports and sockets of this machine to which, by this output, a connection was refused. Each once, the first ten. Pure. */
export function listRefusedAddresses(output: string, command: string): { ports: number[]; sockets: string[] } {
  const lines = output.split('\n').map(line => line.slice(0, MAX_LINE_CHARS))
  const refusals = lines.flatMap((line, index) => (refusal.test(line) ? [index] : [])).slice(0, MAX_REFUSAL_LINES)
  // A traceback names the address some lines above the refusal, Postgres a line below.
  const near = refusals.flatMap(index => lines.slice(Math.max(0, index - LINES_BEFORE), index + LINES_AFTER + 1))
  const named = near.flatMap(listPorts)
  const usual = near.flatMap(line => [...usualPorts].flatMap(([name, port]) => (name.test(line) ? [port] : [])))
  const guessed = refusals.length > 0 ? [...listPorts(command), ...usual] : []
  const ports = named.length > 0 ? named : guessed
  const sockets = lines.flatMap(line => (socketRefusal.test(line) ? (line.match(absolutePath) ?? []) : []))
  return {
    ports: [...new Set(ports)].slice(0, MAX_ADDRESS_COUNT),
    sockets: [...new Set(sockets)].slice(0, MAX_ADDRESS_COUNT),
  }
}

// --- internal ---

const LINES_BEFORE = 12
const LINES_AFTER = 3
const MAX_ADDRESS_COUNT = 10
const MAX_REFUSAL_LINES = 100
const MAX_LINE_CHARS = 1000

const refusal =
  /connection ?refused|econnrefused|connection to \S+ refused|couldn't connect to server|can't connect to \w+ server|os error 111/i
const socketRefusal = /connect|dial unix/i
const absolutePath = /\/(?:[\w.@+-]+\/)+[\w.@+-]*\w/g

/** `127.0.0.1:5432`, `[::1]:5432`, `("localhost", 5432)`, `|127.0.0.1|:80`, `"127.0.0.1", port 5432`; or `port 5432`. */
const addressPatterns = [
  /(?:127(?:\.\d{1,3}){3}|0\.0\.0\.0|localhost|::1)[\]"'|]*\s?[:,]\s?(?:port )?(\d{2,5})\b/gi,
  /\bport["']?[ :=]+["']?(\d{2,5})\b/gi,
]

/** Where drivers that name no port look for their server. */
const usualPorts = new Map([
  [/mysql|mariadb/i, 3306],
  [/postgres|psycopg|pg_/i, 5432],
  [/redis/i, 6379],
  [/mongo/i, 27_017],
  [/rabbitmq|amqp/i, 5672],
])

function listPorts(line: string): number[] {
  return addressPatterns.flatMap(pattern => [...line.matchAll(pattern)].map(([, port]) => Number(port)))
}

/** The first refused address at which something listens outside. */
function findHiddenService(output: string, command: string, scratch: string): string | undefined {
  const { ports, sockets } = listRefusedAddresses(output, command)
  const listening = ports.length > 0 ? listListeningPorts() : new Set<number>()
  const port = ports.find(refused => listening.has(refused))
  if (port !== undefined) return `127.0.0.1:${port}`
  return sockets.find(socket => isSocket(socket) && !isUnder(socket, scratch))
}
