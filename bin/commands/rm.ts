import fs from 'node:fs'
import path from 'node:path'
import {
  type Config,
  DispatchError,
  exits,
  isErrno,
  liveness,
  namesIn,
  oneLine,
  reaches,
  readConfig,
  storageError,
  tmuxOf,
} from '../../host/index.ts'
import { tmuxSession } from '../../runner/index.ts'
import {
  type Commit,
  differences,
  findSession,
  holder,
  importHead,
  readLog,
  refuseNewer,
  type Session,
  type Status,
  statusOf,
} from '../../session/index.ts'
import { defineCommand } from '../command.ts'
import { atTerminal, confirmId, refuseAgent } from '../confirm.ts'
import { paint, print, title } from '../terminal.ts'

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
    for (const session of sessions) refuseNewer(session)
    for (const session of sessions) await refuseRunning(session, config)
    for (const session of sessions) if (!values.force) await refuseUndelivered(session, config)
    for (const session of sessions) {
      remove(session, config)
      await tmuxOf(config.home).closeSession(tmuxSession(session)) // Windows of what has ended may still stand there.
      print(`removed ${session.id}`)
    }
    sweep(config)
    return exits.ok
  },
})

/** Closed, no runner and no window: anything else could still write there, or be given a successor. */
async function refuseRunning(session: Session, config: Config): Promise<void> {
  const status = statusOf(readLog(session.paths.events).events)
  const isOver = status.closed !== undefined || status.phase === 'failed'
  const runner = holder(session.paths.runner)
  const panes = (await tmuxOf(config.home).panes()).filter(pane => pane.session === tmuxSession(session) && !pane.dead)
  if (isOver && panes.length === 0 && (!runner || (await liveness(runner)) === 'dead')) return
  throw new DispatchError(`session ${session.id} is still open; nothing was removed`, {
    exit: exits.conflict,
    remedy: `First: dispatch stop ${session.id.slice(-4)}`,
  })
}

async function refuseUndelivered(session: Session, config: Config): Promise<void> {
  const { id } = session
  const lost = await undelivered(session, config)
  if (lost === undefined) return
  if (atTerminal()) print(`${title(id)}\n  ${paint('red', lost.what)}`)
  if (await confirmId(session, '  Remove it all the same?')) return
  throw new DispatchError(`${atTerminal() ? '' : `${id}: ${lost.what}. `}Nothing was removed.`, {
    exit: exits.conflict,
    remedy: `${lost.remedy} To lose it: dispatch rm --force ${id.slice(-4)}`,
  })
}

interface Lost {
  what: string
  remedy: string
}

/** What would be lost with this session; undefined when there is nothing, or a repository of the user's has it. */
async function undelivered({ id, paths, opening }: Session, config: Config): Promise<Lost | undefined> {
  const status = statusOf(readLog(paths.events).events)
  if (status.base === undefined || !fs.existsSync(paths.outputs)) return undefined
  const look = `Look: ${paths.outputs}`
  const head = await importHead(paths).catch((error: Error) => error)
  if (head instanceof Error) return { what: `${head.message}; so nobody can say what would be lost`, remedy: look }
  const loose = (await differences(paths, head.commit)).map(file => oneLine(file, 80))
  const more = loose.length > 5 ? ` and ${loose.length - 5} more` : ''
  if (loose.length > 0)
    return { what: `not committed in outputs/: ${loose.slice(0, 5).join(', ')}${more}`, remedy: look }
  const places = [...(opening.repository ? [opening.repository.path] : []), process.cwd()].filter(
    place => !`${place}/`.startsWith(`${config.home}/`), // Whoever stands in outputs/ has the work only there.
  )
  for (const commit of commitsOf(status, head)) {
    const found = await Promise.all(places.map(place => reaches(place, commit)))
    if (found.includes(true)) continue
    const where = opening.repository ? `no branch of ${opening.repository.path}` : 'no repository that is known here'
    const what = `commit ${commit.slice(0, 10)}${commit === status.verdict?.commit ? ', which was judged,' : ''} is in ${where}`
    return { what, remedy: `Bring it home: dispatch apply ${id.slice(-4)}` }
  }
  return undefined
}

/** The commits that the work ends in, beyond the base. */
function commitsOf({ base, verdict, accepted }: Status, head: Commit): string[] {
  const ends = new Set([verdict?.commit, accepted, head.commit].filter(commit => commit !== undefined))
  return [...ends].filter(commit => commit !== base?.commit)
}

const aside = '.removed-'

/** First out of sight, whole, and only then deleted: an end in the middle leaves no half session that still lists. */
function remove({ id, paths }: Session, { workspace }: Config): void {
  const place = path.join(workspace, `${aside}${id}`)
  try {
    fs.rmSync(place, { recursive: true, force: true })
    fs.renameSync(paths.folder, place)
  } catch (error) {
    throw storageError(paths.folder, error)
  }
  erase(place)
}

/** What an earlier removal did not come to the end of. */
function sweep({ workspace }: Config): void {
  for (const name of namesIn(workspace).filter(name => name.startsWith(aside))) erase(path.join(workspace, name))
}

/** Builds leave folders that even their owner may not write in; those are opened first. */
function erase(folder: string): void {
  try {
    fs.rmSync(folder, { recursive: true, force: true })
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'ENOTEMPTY')) throw storageError(folder, error)
    unlock(folder)
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function unlock(folder: string): void {
  fs.chmodSync(folder, 0o700)
  for (const entry of fs.readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) unlock(path.join(folder, entry.name))
}
