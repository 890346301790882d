import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isSocket, makePrivateFolder, readJson, writeAtomic } from '../fs/files.ts'
import { sha256 } from '../hash.ts'
import { checkLiveness, identify, mayRun, ProcessIdentity } from '../process/identity.ts'
import { readPlaceTag } from '../process/place.ts'
import { sendSignal } from '../process/proc.ts'

/** The server that was started last for a home on this machine, and the file of its socket. */
const ServerRecord = ProcessIdentity.extend({ socket: z.string() })

/**
 * The arguments that lead tmux to the server of a home. The socket is in the home, where nothing tidies up, unlike in a folder
 * for temporary files. Its name holds the machine, because several may share the home. Where the path would be too long for a
 * socket, or the disk takes none (then `elsewhere` is set, or an earlier server is recorded), tmux chooses the folder. A server
 * that runs stays where it is.
 */
export function chooseSocket(home: string, elsewhere = false): string[] {
  const file = path.join(home, `tmux${readPlaceTag()}.sock`)
  const server = readServer(home)
  if (!elsewhere && server !== undefined && mayRun(server)) return ['-S', server.socket] // Whatever TMUX_TMPDIR is now.
  const isElsewhere = elsewhere || (server !== undefined && server.socket !== file)
  return isElsewhere || Buffer.byteLength(file) > MAX_SOCKET_BYTES
    ? ['-L', `dispatch-${sha256(home).slice(0, 10)}`]
    : ['-S', file]
}

/** Remember the server. `answer` is what tmux prints for `serverFormat`. */
export async function recordServer(home: string, answer: string): Promise<void> {
  const [, pid, socket] = /^(\d+) (\/.*)$/m.exec(answer) ?? []
  const identity = socket === undefined ? undefined : await identify(Number(pid))
  const known = readServer(home)
  const isKnown = known?.startTime === identity?.startTime && known?.bootId === identity?.bootId
  if (identity && !(isKnown && known?.socket === socket))
    writeAtomic(getRecordFile(home), JSON.stringify({ ...identity, socket }))
}

export const serverFormat = '#{pid} #{socket_path}'

/**
 * The server of a home that lives but whose socket is gone; undefined without such a server. tmux opens its socket again when
 * it gets SIGUSR1.
 */
export async function findLostServer(home: string): Promise<{ pid: number; socket: string } | undefined> {
  const server = readServer(home)
  if (server === undefined || isSocket(server.socket)) return undefined
  return (await checkLiveness(server)) === 'alive' ? server : undefined
}

/** Have a server open its socket again. Returns whether it did. */
export async function reopenSocket({ pid, socket }: { pid: number; socket: string }): Promise<boolean> {
  makePrivateFolder(path.dirname(socket))
  sendSignal(pid, 'SIGUSR1')
  for (let waitedMs = 0; waitedMs < REOPEN_TIMEOUT_MS; waitedMs += REOPEN_POLL_MS) {
    if (isSocket(socket)) return true
    await sleep(REOPEN_POLL_MS)
  }
  return false
}

// --- internal ---

/** A socket's path may have 103 bytes on macOS, and 107 on Linux. */
const MAX_SOCKET_BYTES = 100
const REOPEN_TIMEOUT_MS = 2000
const REOPEN_POLL_MS = 20

function getRecordFile(home: string): string {
  return path.join(home, `tmux${readPlaceTag()}.json`)
}

function readServer(home: string) {
  return ServerRecord.safeParse(readJson(getRecordFile(home))).data
}
