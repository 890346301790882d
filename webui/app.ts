import fs from 'node:fs'
import path from 'node:path'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { DispatchError, exits, install, printable } from '../host/index.ts'
import { findSession, listSessions, readEvidence, readLog, readMatrix, type Session, viewOf } from '../session/read.ts'
import { readableFiles, readJudgement, readRaw } from './files.ts'
import { headers, rawFilePolicy, refusal } from './guard.ts'
import { isGoing, listPage } from './list.ts'
import { matrixPage } from './matrix.ts'
import { type Reading, sessionPage } from './page.ts'
import { createRenderer } from './render.ts'

const longestList = 100

/** What the observatory looks at, and what it says of itself. */
export interface Observed {
  workspace: string
  version: string
  home: string
  /** Why notices do not reach a person, in words; empty when all is well. Asked anew for each page. */
  silence(): string
}

/** The observatory as an express app. It reads and never writes, and does not listen: that is `serve`. */
export function createApp(observed: Observed): Express {
  const { workspace, version, home } = observed
  const pages = createRenderer(observed)
  const app = express().disable('x-powered-by').enable('strict routing').enable('case sensitive routing')
  app.set('query parser', false)
  app.use(guard)

  app.get('/', async (_request, response) => {
    const sessions = listSessions(workspace)
    const views = await Promise.all(sessions.slice(0, longestList).map(viewOf))
    response.send(pages.list(listPage(views, sessions.length - views.length, new Date())))
  })
  app.get('/s/:id', async (request, response, next) => {
    const session = exactly(workspace, request.params.id)
    if (session === undefined) return next()
    response.send(pages.session(sessionPage(await readingOf(session), new Date())))
  })
  app.get('/s/:id/matrix', async (request, response, next) => {
    const session = exactly(workspace, request.params.id)
    if (session === undefined) return next()
    const view = await viewOf(session)
    response.send(pages.matrix({ ...matrixPage(readMatrix(view)), refresh: isGoing(view) ? 2000 : 10_000 }))
  })
  app.get('/s/:id/:file', (request, response, next) => {
    const session = exactly(workspace, request.params.id)
    const text = session && readRaw(session.paths, request.params.file)
    if (text === undefined) return next()
    response.set('Content-Security-Policy', rawFilePolicy).type('text/plain; charset=utf-8').send(printable(text))
  })
  app.get('/healthz', (_request, response) => {
    response.json({ name: 'claude-dispatch', home, pid: process.pid, version })
  })
  for (const [address, { type, content }] of assets())
    app.get(address, (_request, response) => void response.type(type).send(content))

  app.use((_request, response) => {
    const words = 'No session and no page has this address.'
    response.status(404).send(pages.message({ title: 'Not here', words, remedy: 'See all sessions' }))
  })
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error)
    const { status, words } = troubleOf(error)
    response.status(status).send(pages.message({ title: 'Trouble', words, remedy: 'See all sessions' }))
  })
  return app
}

function guard(request: Request, response: Response, next: NextFunction): void {
  response.set(headers)
  const refused = refusal(request)
  if (refused === undefined) return next()
  if (refused.status === 405) response.set('Allow', 'GET, HEAD')
  response.status(refused.status).type('text/plain').send(`${refused.words}\n`)
}

/** The session of exactly this id: an address is no place for abbreviations. */
function exactly(workspace: string, id: string): Session | undefined {
  try {
    const session = findSession(workspace, id)
    return session.id === id ? session : undefined
  } catch (error) {
    if (error instanceof DispatchError && (error.exit === exits.notFound || error.exit === exits.usage))
      return undefined
    throw error
  }
}

async function readingOf(session: Session): Promise<Reading> {
  const { paths } = session
  return {
    view: await viewOf(session),
    events: readLog(paths.events).events,
    evidence: readEvidence(paths),
    judgement: readJudgement(paths),
    files: readableFiles(paths),
  }
}

/** Our own few files, read once at the start: no folder is ever served. */
function assets(): Map<string, { type: string; content: string }> {
  const read = (name: string) => fs.readFileSync(path.join(install, 'webui/public', name), 'utf8')
  return new Map([
    ['/style.css', { type: 'text/css', content: read('style.css') }],
    ['/live.js', { type: 'text/javascript', content: read('live.js') }],
    ['/icon.svg', { type: 'image/svg+xml', content: read('icon.svg') }],
  ])
}

/** A bad address is the asker's trouble; a DispatchError is told; anything else is a bug, and goes to the log whole. */
function troubleOf(error: unknown): { status: number; words: string } {
  if (error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400))
    return { status: 400, words: 'This address does not read.' }
  if (error instanceof DispatchError) return { status: 500, words: `${error.message}. ${error.remedy}` }
  console.error(error)
  return { status: 500, words: 'This page could not be made; the reason stands in the log of the page.' }
}
