import fs from 'node:fs'
import path from 'node:path'
import { type Config, readConfig } from '#host/config'
import { DispatchError, exitCodes, isErrno } from '#host/error.ts'
import { listNames, toStorageError } from '#host/fs'
import { isReachable } from '#host/git'
import { checkLiveness } from '#host/process'
import { toOneLine } from '#host/text.ts'
import { openTmux } from '#host/tmux'
import { getTmuxSessionName } from '#runner'
import { findSession, refuseNewerFormat, type Session } from '#session'
import { readLeaseHolder } from '#session/lease'
import { readLog } from '#session/log'
import { type Commit, importWork, listDifferences } from '#session/repository'
import { computeStatus, type SessionStatus } from '#session/status'
import { defineCommand } from '../command.ts'
import { confirmSessionId, isAtTerminal, refuseAgent } from '../input/confirm.ts'
import { formatTitle, paint, print } from '../output/terminal.ts'
export const command = defineCommand({
  about: `
Removes the folder of a session with all that is in it: outputs, evidence, verdict, log. One that still runs is refused, and
so is work that no branch of your repository holds (nor of the one you stand in): you are asked, or say --force. Either
all that are named go, or none. What claude itself keeps of the talk stays where claude keeps it.
`,
  options: { force: { type: 'boolean', about: 'also work that is nowhere else, and without asking' } },
  async run(values, words) {
    const config = readConfig()
    const sessions = [...new Map(words.map(word => findSession(config.workspace, word)).map(s => [s.id, s])).values()]
    await refuseAgent('rm', 'Sessions are removed by those who opened them.')
    for (const session of sessions) refuseNewerFormat(session)
    for (const session of sessions) await refuseRunning(session, config)
    for (const session of sessions) if (!values.force) await refuseUnsavedWork(session, config)
    for (const session of sessions) {
      removeSession(session, config)
      await openTmux(config.home).closeSession(getTmuxSessionName(session)) // Windows of what has ended may still stand there.
      print(`removed ${session.id}`)
    }
    finishRemovals(config)
    return exitCodes.ok
  },
})

/** Closed, no runner and no window: anything else could still write there, or be given a successor. */
async function refuseRunning(session: Session, config: Config): Promise<void> {
  const status = computeStatus(readLog(session.paths.events).events)
  const isOver = status.closed !== undefined || status.phase === 'failed'
  const runner = readLeaseHolder(session.paths.runnerLease)
  const panes = (await openTmux(config.home).listPanes()).filter(
    pane => pane.session === getTmuxSessionName(session) && !pane.isDead,
  )
  if (isOver && panes.length === 0 && (!runner || (await checkLiveness(runner)) === 'dead')) return
  throw new DispatchError(`session ${session.id} is still open; nothing was removed`, {
    exitCode: exitCodes.conflict,
    remedy: `First: dispatch stop ${session.id.slice(-4)}`,
  })
}

async function refuseUnsavedWork(session: Session, config: Config): Promise<void> {
  const { id } = session
  const lost = await findUnsavedWork(session, config)
  if (lost === undefined) return
  if (isAtTerminal()) print(`${formatTitle(id)}\n  ${paint('red', lost.what)}`)
  if (await confirmSessionId(session, '  Remove it all the same?')) return
  throw new DispatchError(`${isAtTerminal() ? '' : `${id}: ${lost.what}. `}Nothing was removed.`, {
    exitCode: exitCodes.conflict,
    remedy: `${lost.remedy} To lose it: dispatch rm --force ${id.slice(-4)}`,
  })
}

interface UnsavedWork {
  what: string
  remedy: string
}

/** What would be lost with this session; undefined when there is nothing, or a repository of the user's has it. */
async function findUnsavedWork({ id, paths, manifest }: Session, config: Config): Promise<UnsavedWork | undefined> {
  const status = computeStatus(readLog(paths.events).events)
  if (status.base === undefined || !fs.existsSync(paths.outputs)) return undefined
  const look = `Look: ${paths.outputs}`
  const head = await importWork(paths).catch((error: Error) => error)
  if (head instanceof Error) return { what: `${head.message}; so nobody can say what would be lost`, remedy: look }
  const loose = (await listDifferences(paths, head.commit)).map(file => toOneLine(file, 80))
  const more = loose.length > 5 ? ` and ${loose.length - 5} more` : ''
  if (loose.length > 0)
    return { what: `not committed in outputs/: ${loose.slice(0, 5).join(', ')}${more}`, remedy: look }
  const places = [...(manifest.repository ? [manifest.repository.path] : []), process.cwd()].filter(
    place => !`${place}/`.startsWith(`${config.home}/`), // Whoever stands in outputs/ has the work only there.
  )
  for (const commit of listFinalCommits(status, head)) {
    const found = await Promise.all(places.map(place => isReachable(place, commit)))
    if (found.includes(true)) continue
    const where = manifest.repository ? `no branch of ${manifest.repository.path}` : 'no repository that is known here'
    const what = `commit ${commit.slice(0, 10)}${commit === status.verdict?.commit ? ', which was judged,' : ''} is in ${where}`
    return { what, remedy: `Bring it home: dispatch apply ${id.slice(-4)}` }
  }
  return undefined
}

/** The commits that the work ends in, beyond the base. */
function listFinalCommits({ base, verdict, acceptedCommit }: SessionStatus, head: Commit): string[] {
  const ends = new Set([verdict?.commit, acceptedCommit, head.commit].filter(commit => commit !== undefined))
  return [...ends].filter(commit => commit !== base?.commit)
}

const REMOVED_PREFIX = '.removed-'

/** First out of sight, whole, and only then deleted: an end in the middle leaves no half session that still lists. */
function removeSession({ id, paths }: Session, { workspace }: Config): void {
  const place = path.join(workspace, `${REMOVED_PREFIX}${id}`)
  try {
    fs.rmSync(place, { recursive: true, force: true })
    fs.renameSync(paths.folder, place)
  } catch (error) {
    throw toStorageError(paths.folder, error)
  }
  deleteFolder(place)
}

/** What an earlier removal did not come to the end of. */
function finishRemovals({ workspace }: Config): void {
  for (const name of listNames(workspace).filter(name => name.startsWith(REMOVED_PREFIX)))
    deleteFolder(path.join(workspace, name))
}

/** Builds leave folders that even their owner may not write in; those are opened first. */
function deleteFolder(folder: string): void {
  try {
    fs.rmSync(folder, { recursive: true, force: true })
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'ENOTEMPTY')) throw toStorageError(folder, error)
    makeWritable(folder)
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function makeWritable(folder: string): void {
  fs.chmodSync(folder, 0o700)
  for (const entry of fs.readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) makeWritable(path.join(folder, entry.name))
}
