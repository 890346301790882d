import { createHash } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { identify } from '../../host/index.ts'
import {
  acquireLease,
  appendEvent,
  createSession,
  type EventBody,
  type EvidenceRecord,
  type Session,
  SessionManifest,
} from '../../session/index.ts'
import { createApp } from '../../webui/index.ts'

/** A made-up object name of 40 digits. */
export function createFakeHash(sessionId: string): string {
  return createHash('sha1').update(sessionId).digest('hex')
}

export const testModels = { orchestrator: 'opus', code: 'opus', rw: 'sonnet', judge: 'gemini-2.5-pro' }

/** A home with an empty workspace, and the way to be rid of it. */
export function createWebHome() {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'webui-'))
  const workspace = path.join(home, 'workspace')
  fs.mkdirSync(workspace)
  return { home, workspace, remove: () => fs.rmSync(home, { recursive: true, force: true }) }
}

/** A session on disk, written by the real writers: opened, then all that happened. `alive` makes this process its runner. */
export async function createTestSession(
  workspace: string,
  id: string,
  options: { title?: string; minutesAgo?: number; alive?: boolean; happened?: EventBody[] } = {},
): Promise<Session> {
  const { title = 'Fix the login bug', minutesAgo = 5, alive = false, happened = [] } = options
  const opened = Date.now() - minutesAgo * 60_000
  const task = { bytes: Buffer.byteLength(title), sha256: createHash('sha256').update(title).digest('hex'), title }
  const opening = SessionManifest.parse({
    format: 1,
    id,
    openedAt: new Date(opened).toISOString(),
    task,
    repository: null,
    models: testModels,
    rounds: 3,
    judgedOnly: false,
    claude: { program: 'claude', session: 'x', configDirectory: null },
  })
  const session = createSession(workspace, opening, Buffer.from(title))
  const first: EventBody = {
    type: 'session.opened',
    format: 1,
    task,
    repository: null,
    uncommittedFiles: 0,
    models: testModels,
    maxRounds: 3,
    allowsJudgedOnly: false,
  }
  for (const [at, happening] of [first, ...happened].entries())
    appendEvent(session.paths.events, happening, at, new Date(opened + at * 1000))
  const runner = alive ? await identify(process.pid) : undefined
  if (runner) await acquireLease(session.paths.runnerLease, runner)
  return session
}

/** A contract of one check and one judged clause, sealed. */
export const sealedEvent: EventBody = {
  type: 'contract.sealed',
  sha256: createHash('sha256').update('contract').digest('hex'),
  clauses: [
    { id: 'C1', sentence: 'A correct password is let in.', proof: 'check' },
    { id: 'C2', sentence: 'The message can be understood.', proof: 'judged' },
  ],
  uncoveredSentences: ['make it nicer'],
}

export function createCheckEvent(
  side: 'base' | 'head',
  outcome: 'green' | 'red' | 'could not run',
  round = 1,
): EventBody {
  const recordId = side === 'base' ? 'base-C1' : `round-${round}-C1`
  return { type: 'check.ran', side, round, clauseId: 'C1', outcome, reason: '', milliseconds: 1200, recordId }
}

export function createVerdictEvent(verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE', reason: string): EventBody {
  return {
    type: 'verdict.given',
    round: 1,
    verdict,
    reason,
    commit: createFakeHash('commit'),
    tree: createFakeHash('tree'),
    isFinal: true,
    independence: 'other vendor, blind',
    clauses: [
      { id: 'C1', verdict },
      { id: 'C2', verdict: 'PASS' },
    ],
  }
}

/** Lay a record into the session's evidence, as the runner does. */
export function writeEvidence(session: Session, changes: Partial<EvidenceRecord> = {}): void {
  const record: EvidenceRecord = {
    format: 1,
    id: 'round-1-C1',
    clauseId: 'C1',
    side: 'head',
    round: 1,
    command: 'npm test',
    expected: 'exit 0',
    exitCode: 0,
    outcome: 'green',
    reason: '',
    milliseconds: 1200,
    outputTail: 'ok 1 - let in',
    outputBytes: 13,
    outputSha256: 'x',
    timeoutSeconds: 120,
    runs: [],
    toolVersions: {},
    machine: 'linux',
    dependenciesKey: null,
    sandbox: 'none',
    commit: createFakeHash('commit'),
    tree: createFakeHash('tree'),
    time: new Date().toISOString(),
    ...changes,
  }
  fs.writeFileSync(path.join(session.paths.evidence, `${record.id}.json`), JSON.stringify(record))
}

export interface HttpAnswer {
  status: number
  headers: http.IncomingHttpHeaders
  body: string
}

/** The app on a free port of loopback, and the way to ask it anything, with any Host. */
export async function startApp(home: string, getChannelWarning = () => '') {
  const app = createApp({ workspace: path.join(home, 'workspace'), home, version: '1.2.3', getChannelWarning })
  const server = http.createServer(app)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const ask = (target: string, options: { method?: string; headers?: Record<string, string> } = {}) =>
    new Promise<HttpAnswer>((resolve, reject) => {
      const { method = 'GET', headers = {} } = options
      const asked = http.request({ host: '127.0.0.1', port, path: target, method, headers }, async response => {
        let body = ''
        for await (const chunk of response.setEncoding('utf8')) body += chunk
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
      })
      asked.on('error', reject).end()
    })
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { port, ask, stop }
}
