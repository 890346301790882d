import fs from 'node:fs'
import path from 'node:path'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { installFolder } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { sha256 } from '#host/hash.ts'
import {
  describeOutdatedPrograms,
  findOutdatedPrograms,
  isOutdated,
  readInstalledCode,
  readRunningDaemon,
} from '#host/installed-code'
import { sanitize } from '#host/text.ts'
import {
  findSession,
  listNewestSessions,
  readCurrentVerdict,
  readEvidence,
  readLog,
  readMatrix,
  readView,
  type Session,
} from '#session/readonly.ts'
import { buildListPage, getRefreshMs } from './pages/list.ts'
import { buildMatrixPage } from './pages/matrix.ts'
import { buildSessionPage, type SessionData } from './pages/session.ts'
import { createRenderer, type PageFrame } from './render.ts'
import { rawFilePolicy, refuseRequest, securityHeaders } from './request-policy.ts'
import { listReadableFiles, readRawFile } from './session-files.ts'
import { parseFileAddress } from './work/file-address.ts'
import { sendContent, watchClose } from './work/send-content.ts'
import { answerWorkRequest, readWorkData } from './work/work-request.ts'

const MAX_LISTED_SESSIONS = 100
/** Shorter than anyone notices, so that many open pages cost what one costs. */
const LIST_KEPT_MS = 250

/** The files in `public/`, with their types. They are read once at the start: the app never serves a folder. */
const assets = [
  ['style.css', 'text/css'],
  ['live.js', 'text/javascript'],
  ['icon.svg', 'image/svg+xml'],
] as const

/** The sessions that the page shows, and what it reports about itself. */
interface AppOptions extends Omit<PageFrame, 'getCodeWarning'> {
  workspace: string
  /** Names in the address, beside those of loopback, by which the page may be reached. */
  hostNames?: string[]
  /** For how long the list is sent again as it is. */
  listKeptMs?: number
  /** Called for an error that a visitor is not shown. */
  report?: (error: unknown) => void
}

/** Create the web page as an express app. It reads and never writes. `startServer` lets it listen. */
export function createApp(options: AppOptions): Express {
  const { workspace, version, home, hostNames, listKeptMs = LIST_KEPT_MS, report = console.error } = options
  const pages = createRenderer({ ...options, getCodeWarning: () => warnOfOldCode(home, version) })
  const app = express().disable('x-powered-by').enable('strict routing').enable('case sensitive routing')
  app.set('query parser', false)
  app.use((request, response, next) => applyRequestPolicy(request, response, next, hostNames))

  const renderList = keepBriefly(listKeptMs, async () => {
    const { views, moreCount, problem } = await listNewestSessions({ home, workspace }, MAX_LISTED_SESSIONS)
    return prepareHtml(pages.list(buildListPage(views, { moreCount, problem }, new Date())))
  })
  app.get('/', async (_request, response) => {
    const { etag, body } = await renderList()
    response.set('ETag', etag).type('html').send(body)
  })
  app.use(async (request, response, next) => {
    const address = parseFileAddress(request.url)
    if (address === 'malformed') throw new URIError('the address is malformed')
    const session = address && findExactSession(workspace, address.sessionId)
    if (address === undefined || session === undefined) return next()
    const reader = { signal: watchClose(response), knownTag: request.headers['if-none-match'] }
    const answer = await answerWorkRequest(session.paths, address, reader)
    if (answer.kind === 'folder') response.send(pages.folder(answer.page))
    else if (answer.kind === 'file') response.send(pages.file(answer.page))
    else if (answer.kind === 'content') await sendContent(request, response, answer.content)
    else {
      if (answer.status === 503) response.set('Retry-After', '2')
      response.status(answer.status).send(pages.message({ title: 'Not shown', message: answer.message }))
    }
  })
  app.get('/s/:id', async (request, response, next) => {
    const session = findExactSession(workspace, request.params.id)
    if (session === undefined) return next()
    const data = await readSessionData(session, watchClose(response))
    response.send(pages.session(buildSessionPage(data, new Date())))
  })
  app.get('/s/:id/matrix', async (request, response, next) => {
    const session = findExactSession(workspace, request.params.id)
    if (session === undefined) return next()
    const view = await readView(session)
    response.send(pages.matrix({ ...buildMatrixPage(readMatrix(view)), refreshMs: getRefreshMs([view]) }))
  })
  app.get('/s/:id/:file', (request, response, next) => {
    const session = findExactSession(workspace, request.params.id)
    const text = session && readRawFile(session.paths, request.params.file)
    if (text === undefined) return next()
    response.set('Content-Security-Policy', rawFilePolicy).type('text/plain; charset=utf-8').send(sanitize(text))
  })
  app.get('/healthz', (_request, response) => {
    response.json(buildHealth(home, version))
  })
  for (const [name, type] of assets) {
    const content = fs.readFileSync(path.join(installFolder, 'webui/public', name), 'utf8')
    app.get(`/${name}`, (_request, response) => void response.type(type).send(content))
  }

  app.use((_request, response) => {
    response.status(404).send(pages.message({ title: 'Not found', message: 'There is no such page or session.' }))
  })
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error)
    const { status, isBug, ...page } = describeError(error)
    if (isBug) report(error)
    response.status(status).send(pages.message(page))
  })
  return app
}

// --- internal ---

/** `isOutdated`: it runs older code than is installed. `daemon` is null where none runs. */
function buildHealth(home: string, version: string) {
  const installed = readInstalledCode()
  const daemon = readRunningDaemon(home)
  return {
    name: 'claude-dispatch',
    home,
    pid: process.pid,
    version,
    installedVersion: installed.version,
    isOutdated: isOutdated({ version, install: installFolder }, installed),
    daemon: daemon
      ? { pid: daemon.process.pid, version: daemon.code.version, isOutdated: isOutdated(daemon.code, installed) }
      : null,
  }
}

/** Call `make` again only once its last result is older than that. Calls meanwhile share one. A failure is not kept. */
function keepBriefly<Result>(milliseconds: number, make: () => Promise<Result>): () => Promise<Result> {
  let kept: Promise<Result> | undefined
  const forget = () => {
    kept = undefined
  }
  return () => {
    if (kept === undefined) {
      kept = make()
      kept.then(() => setTimeout(forget, milliseconds).unref(), forget)
    }
    return kept
  }
}

/** A page that is sent many times: express would convert and hash it each time. */
function prepareHtml(html: string): { etag: string; body: Buffer } {
  const body = Buffer.from(html)
  return { etag: `"${sha256(body)}"`, body }
}

function warnOfOldCode(home: string, version: string): string {
  const outdated = findOutdatedPrograms(home, { version, install: installFolder })
  const text = describeOutdatedPrograms(outdated)
  return text && `${text}: ${outdated.remedy}`
}

function applyRequestPolicy(request: Request, response: Response, next: NextFunction, hostNames?: string[]): void {
  response.set(securityHeaders)
  const refusal = refuseRequest(request, hostNames)
  if (refusal === undefined) return next()
  if (refusal.status === 405) response.set('Allow', 'GET, HEAD')
  response.status(refusal.status).type('text/plain').send(`${refusal.message}\n`)
}

/** Find a session by its full id. A command accepts a part of an id, but an address must not. */
function findExactSession(workspace: string, id: string): Session | undefined {
  try {
    const session = findSession(workspace, id)
    return session.id === id ? session : undefined
  } catch (error) {
    if (error instanceof DispatchError && (error.exitCode === exitCodes.notFound || error.exitCode === exitCodes.usage))
      return undefined
    throw error
  }
}

async function readSessionData(session: Session, signal: AbortSignal): Promise<SessionData> {
  const { paths } = session
  const view = await readView(session)
  return {
    view,
    events: readLog(paths.events).events,
    evidence: readEvidence(paths),
    verdictRecord: readCurrentVerdict(paths, view.status),
    files: listReadableFiles(paths),
    work: await readWorkData(paths, signal),
    installedVersion: readInstalledCode().version,
  }
}

/** A DispatchError is shown. Any other error is a bug: it is reported in full, and the page only says so. */
function describeError(error: unknown): { status: number; title: string; message: string; isBug: boolean } {
  if (error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400))
    return { status: 400, title: 'Bad request', message: 'The address is malformed.', isBug: false }
  if (error instanceof DispatchError)
    return { status: 500, title: 'Error', message: `${error.message}. ${error.remedy}`, isBug: false }
  return { status: 500, title: 'Internal error', message: 'To see the reason: dispatch logs web', isBug: true }
}
