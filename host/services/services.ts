import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { installFolder } from '../config/config.ts'
import { readUntrusted } from '../fs/files.ts'
import type { Service } from '../project/schema.ts'
import { getInnerTempFolder } from '../sandbox/command-line.ts'
import { toOneLine } from '../text.ts'

/** How a command is run beside services, and where their output is afterwards. */
export interface ServicePlan {
  /** The words to put before the command. */
  prefix: string[]
  /** Variables for the services and the command. */
  variables: Record<string, string>
  /** What must be readable in a sandbox. */
  readablePaths: string[]
  /** Where the script leaves what the services printed, as this process sees it. The command may have changed it. */
  folder: string
  services: Service[]
  /** Seconds that they may take to become ready. */
  startSeconds: number
}

/**
 * Plan to run a command beside services; undefined without any. With bubblewrap the ports are the same each time, because
 * its loopback is private. Elsewhere all runs of a machine share the loopback, so each gets free ports.
 */
export async function planServices(
  services: Service[],
  { tempFolder, sandbox }: { tempFolder: string; sandbox: string | null },
): Promise<ServicePlan | undefined> {
  if (services.length === 0) return undefined
  const isPrivate = sandbox === 'bubblewrap'
  const folder = path.join(tempFolder, 'services')
  const innerFolder = path.join(isPrivate ? getInnerTempFolder(tempFolder) : tempFolder, 'services')
  const ports = isPrivate
    ? services.map((_, index) => FIRST_PRIVATE_PORT + index)
    : await findFreePorts(services.length)
  const places = Object.fromEntries(
    services.flatMap(({ name }, index) => [
      [`${toVariable(name)}_PORT`, String(ports[index])],
      [`${toVariable(name)}_DIR`, path.join(innerFolder, name)],
    ]),
  )
  const own = services.flatMap(({ variables }) => Object.entries(variables))
  const words = services.flatMap(({ name, limit, ready, command }) => [name, String(limit), ready, command])
  return {
    prefix: ['/bin/sh', scriptFile, innerFolder, isPrivate ? 'private' : 'shared', ...words, '--'],
    variables: { ...places, ...Object.fromEntries(own.map(([name, text]) => [name, fillIn(text, places)])) },
    readablePaths: [path.dirname(scriptFile)],
    folder,
    services,
    startSeconds: services.reduce((sum, { limit }) => sum + limit, 0),
  }
}

/** The names of all variables that services add, without their values. Pure. */
export function listServiceVariables(services: Service[]): string[] {
  return services.flatMap(({ name, variables }) => [
    `${toVariable(name)}_PORT`,
    `${toVariable(name)}_DIR`,
    ...Object.keys(variables),
  ])
}

/** Why a service did not become ready, with its last words; undefined if all did. */
export function readServiceProblem(plan: ServicePlan): string | undefined {
  const problem = readReport(plan, 'problem')
  return problem === undefined ? undefined : toOneLine(problem, MAX_PROBLEM_CHARS)
}

/** The services that ended while the command still ran. */
export function listEndedServices(plan: ServicePlan): string[] {
  const names = readReport(plan, 'ended')?.split('\n') ?? []
  return plan.services.map(({ name }) => name).filter(name => names.includes(name))
}

/** What the services printed, for a person: of each the last 64 KiB. */
export function readServiceOutput(plan: ServicePlan): string {
  return plan.services
    .map(({ name, command }) => `[service ${name}] ${command}\n${readReport(plan, `${name}.txt`) ?? ''}`.trimEnd())
    .join('\n\n')
}

// --- internal ---

const scriptFile = path.join(installFolder, 'host/services/with-services.sh')

/** Below the ports that the system gives to programs that ask for any. */
const FIRST_PRIVATE_PORT = 21_001
const MAX_PROBLEM_CHARS = 280
const MAX_OUTPUT_BYTES = 64 * 1024

/** `DB` for `db`, `MAIL_SERVER` for `mail-server`. */
function toVariable(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}

/** Replace `$DB_PORT` and `${DB_PORT}`. Nothing else in the text has a meaning. */
function fillIn(text: string, places: Record<string, string>): string {
  return text.replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole, plain?: string, braced?: string) => {
    return places[plain ?? braced ?? ''] ?? whole
  })
}

/** The end of a file in the folder. The command could put a link in the place of the folder or of the file. */
function readReport({ folder }: ServicePlan, name: string): string | undefined {
  if (!fs.lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined
  return readUntrusted(path.join(folder, name), MAX_OUTPUT_BYTES, -MAX_OUTPUT_BYTES)?.toString('utf8')
}

/** Ports of the loopback that are free now. All are held until the last is found, so that they differ. */
async function findFreePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = net.createServer()
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', resolve)
      })
      return server
    }),
  )
  const ports = servers.map(server => (server.address() as net.AddressInfo).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}
