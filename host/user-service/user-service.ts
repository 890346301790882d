import { pickVariables } from '../config/environment.ts'
import { DispatchError, exitCodes } from '../error.ts'
import { type RunResult, runProgram } from '../exec.ts'
import { toOneLine } from '../text.ts'
import { SECOND_MS } from '../time.ts'
import { type ServicePlan, STOP_SECONDS } from './unit.ts'

/** What the system says about the service. */
export interface ServiceState {
  isInstalled: boolean
  /** Does it begin by itself with the next login? */
  isEnabled: boolean
  /** The process of its daemon; undefined while it does not run. */
  pid: number | undefined
  /** How often the system has started the daemon again, as far as it counts that. */
  restarts: number
}

/** A user's services, as systemd or launchd keeps them. Failures of the system's own commands are exit 6. */
export interface UserService {
  kind: 'systemd' | 'launchd'
  /** Where the definition of the service is. */
  file: string
  /** Why this user can have no services here; undefined if they can. */
  explainUnavailable(): Promise<string | undefined>
  compose(plan: ServicePlan): string
  /** Write the definition, and start the service with it, now and with each login. */
  install(text: string): Promise<void>
  readState(): Promise<ServiceState>
  /** Ask for a start. It does not wait until the service runs. */
  start(): Promise<void>
  stop(): Promise<void>
  restart(): Promise<void>
  /** End the service and delete its definition. */
  remove(): Promise<void>
  /** Have the service outlive a logout. Returns why it does not; undefined if it does. */
  surviveLogout(): Promise<string | undefined>
  survivesLogout(): Promise<boolean>
}

/** The service of a home: its name, and where the user's folders are. */
export interface ServicePlace {
  name: string
  userHome: string
  configFolder: string
  uid: number
  userName: string
}

/** Run a command of systemd or launchd. It has the environment of this shell, in English, and the folder of the user's bus. */
export function runServiceCommand(
  { uid }: Pick<ServicePlace, 'uid'>,
  [program = '', ...args]: string[],
  timeoutMs = ASK_TIMEOUT_MS,
): Promise<RunResult> {
  const env = pickVariables(Object.keys(process.env))
  const runtimeFolder = env['XDG_RUNTIME_DIR'] ?? `/run/user/${uid}`
  return runProgram(program, args, { env: { ...env, LC_ALL: 'C', XDG_RUNTIME_DIR: runtimeFolder }, timeoutMs })
}

/** The same where a failure is the end: exit 6 with the program's own words. */
export async function requireServiceCommand(
  place: Pick<ServicePlace, 'uid'>,
  command: string[],
  timeoutMs = ACT_TIMEOUT_MS,
): Promise<RunResult> {
  const ran = await runServiceCommand(place, command, timeoutMs)
  if (ran.exitCode === 0) return ran
  throw new DispatchError(`\`${command.join(' ')}\` failed: ${explainRun(ran)}`, { exitCode: exitCodes.dependency })
}

/** Why a command did not succeed, in one line. Pure. */
export function explainRun({ startError, timedOut, stderr, stdout, exitCode }: RunResult): string {
  if (startError !== undefined) return startError === 'ENOENT' ? 'there is no such program' : startError
  if (timedOut) return 'it did not answer in time'
  return toOneLine(stderr.trim() || stdout.trim(), 300) || `exit code ${exitCode}`
}

// --- internal ---

const ASK_TIMEOUT_MS = 10 * SECOND_MS
const ACT_TIMEOUT_MS = (STOP_SECONDS + 30) * SECOND_MS
