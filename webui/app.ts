import fs from 'node:fs'
import path from 'node:path'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { installFolder } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { sanitize } from '#host/text.ts'
import {
  findSession,
  listSessions,
  readEvidence,
  readLog,
  readMatrix,
  readView,
  type Session,
} from '#session/readonly.ts'
import { listReadableFiles, readRawFile, readVerdictSummary } from './files.ts'
import { buildListPage, isActive } from './pages/list.ts'
import { buildMatrixPage } from './pages/matrix.ts'
import { buildSessionPage, type SessionData } from './pages/session.ts'
import { createRenderer } from './render.ts'
import { rawFilePolicy, refuseRequest, securityHeaders } from './request-policy.ts'

const MAX_LISTED_SESSIONS = 100

/** What the observatory looks at, and what it says of itself. */
export interface AppOptions {
  workspace: string
  version: string
  home: string
  /** Why notices do not reach a person, in words; empty when all is well. Asked anew for each page. */
  getChannelWarning(): string
}

/** The observatory as an express app. It reads and never writes, and does not listen: that is `serve`. */
export function createApp(observed: AppOptions): Express {
  const { workspace, version, home } = observed
  const pages = createRenderer(observed)
  const app = express().disable('x-powered-by').enable('strict routing').enable('case sensitive routing')
  app.set('query parser', false)
  app.use(applyRequestPolicy)

  app.get('/', async (_request, response) => {
    const sessions = listSessions(workspace)
    const views = await Promise.all(sessions.slice(0, MAX_LISTED_SESSIONS).map(readView))
    response.send(pages.list(buildListPage(views, sessions.length - views.length, new Date())))
  })
  app.get('/s/:id', async (request, response, next) => {
    const session = findExactSession(workspace, request.params.id)
    if (session === undefined) return next()
    response.send(pages.session(buildSessionPage(await readSessionData(session), new Date())))
  })
  app.get('/s/:id/matrix', async (request, response, next) => {
    const session = findExactSession(workspace, request.params.id)
    if (session === undefined) return next()
    const view = await readView(session)
    response.send(pages.matrix({ ...buildMatrixPage(readMatrix(view)), refresh: isActive(view) ? 2000 : 10_000 }))
  })
  app.get('/s/:id/:file', (request, response, next) => {
    const session = findExactSession(workspace, request.params.id)
    const text = session && readRawFile(session.paths, request.params.file)
    if (text === undefined) return next()
    response.set('Content-Security-Policy', rawFilePolicy).type('text/plain; charset=utf-8').send(sanitize(text))
  })
  app.get('/healthz', (_request, response) => {
    response.json({ name: 'claude-dispatch', home, pid: process.pid, version })
  })
  for (const [address, { type, content }] of readAssets())
    app.get(address, (_request, response) => void response.type(type).send(content))

  app.use((_request, response) => {
    const words = 'No session and no page has this address.'
    response.status(404).send(pages.message({ title: 'Not here', words, remedy: 'See all sessions' }))
  })
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error)
    const { status, words } = describeError(error)
    response.status(status).send(pages.message({ title: 'Trouble', words, remedy: 'See all sessions' }))
  })
  return app
}

function applyRequestPolicy(request: Request, response: Response, next: NextFunction): void {
  response.set(securityHeaders)
  const refused = refuseRequest(request)
  if (refused === undefined) return next()
  if (refused.status === 405) response.set('Allow', 'GET, HEAD')
  response.status(refused.status).type('text/plain').send(`${refused.message}\n`)
}

/** The session of exactly this id: an address is no place for abbreviations. */
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

async function readSessionData(session: Session): Promise<SessionData> {
  const { paths } = session
  return {
    view: await readView(session),
    events: readLog(paths.events).events,
    evidence: readEvidence(paths),
    judgement: readVerdictSummary(paths),
    files: listReadableFiles(paths),
  }
}

/** Our own few files, read once at the start: no folder is ever served. */
function readAssets(): Map<string, { type: string; content: string }> {
  const read = (name: string) => fs.readFileSync(path.join(installFolder, 'webui/public', name), 'utf8')
  return new Map([
    ['/style.css', { type: 'text/css', content: read('style.css') }],
    ['/live.js', { type: 'text/javascript', content: read('live.js') }],
    ['/icon.svg', { type: 'image/svg+xml', content: read('icon.svg') }],
  ])
}

/** A bad address is the asker's trouble; a DispatchError is told; anything else is a bug, and goes to the log whole. */
function describeError(error: unknown): { status: number; words: string } {
  if (error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400))
    return { status: 400, words: 'This address does not read.' }
  if (error instanceof DispatchError) return { status: 500, words: `${error.message}. ${error.remedy}` }
  console.error(error)
  return { status: 500, words: 'This page could not be made; the reason stands in the log of the page.' }
}
