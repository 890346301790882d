import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import type { Config } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { listNames } from '#host/fs'
import { findRemote, type RemoteRefs, readRemoteRefs } from '#host/git/remote'
import {
  findInstalledFolder,
  getVersionFolder,
  getVersionsFolder,
  readPackageVersion,
  readVersionChoice,
} from '#host/installed-code'
import { writeToDisk } from '#host/write-to-disk.ts'
import { requireCleanClone, requireRoom, updateAlone } from './clone.ts'
import {
  installDependencies,
  rehearseVersion,
  removeStage,
  requireGoing,
  requireReadable,
  type Steps,
} from './prepare.ts'
import { bringCode, chooseTag, describeSource, openTarball, type Source } from './source.ts'
import { switchVersion } from './switch.ts'
import { removeUnused } from './unused.ts'

/** What there is, and what became of it. `installed` and `version` are folders of versions, `available` is a tag or a file. */
export interface UpdateReport {
  result: 'updated' | 'available' | 'nothing newer' | 'already installed'
  installed: string
  available: string | null
  removed: string[]
}

export interface UpdateRequest {
  /** A tag instead of the newest release. */
  tag?: string | undefined
  tarball?: string | undefined
  /** Only say what there is. */
  isCheck: boolean
}

/** Bring another version beside the clone, check it, and switch to it. Where anything fails, the installed version goes on. */
export async function update(
  config: Config,
  { tag, tarball, isCheck }: UpdateRequest,
  steps: Steps,
): Promise<UpdateReport> {
  const { cloneFolder } = config
  const installed = readPackageVersion(findInstalledFolder(cloneFolder)) ?? '0.0.0'
  const found = tarball === undefined ? await findTag(config, { installed, wanted: tag }, steps) : undefined
  const source = tarball === undefined ? found?.source : openTarball(tarball)
  const report = {
    installed: readVersionChoice(cloneFolder).current,
    available: source ? describeSource(source) : null,
    removed: [],
  }
  if (source === undefined) return { ...report, result: 'nothing newer' }
  if (isCheck) return { ...report, result: 'available' }
  if (fs.existsSync(path.join(cloneFolder, '.git'))) await requireCleanClone(cloneFolder, found?.refs.commits ?? [])
  return updateAlone(config, async () => {
    const name = await prepareVersion(source, config, steps)
    if (name === undefined) return { ...report, result: 'already installed' }
    requireGoing(steps.end)
    await switchVersion(name, config, steps.say)
    return { ...report, result: 'updated', installed: name, removed: await removeUnused(config) }
  })
}

// --- internal ---

/** A folder in which an update prepares a version. One that an update has left is removed by the next. */
const STAGE_PREFIX = '.new-'

async function findTag(
  { cloneFolder }: Config,
  request: { installed: string; wanted: string | undefined },
  { say, end }: Steps,
): Promise<{ source: Source | undefined; refs: RemoteRefs }> {
  const repository = await findRemote(cloneFolder)
  if (repository === undefined)
    throw new DispatchError(`${cloneFolder} is no git clone, so there is no remote that an update could come from`, {
      exitCode: exitCodes.conflict,
      remedy: 'Name a tarball: dispatch update FILE.tgz',
    })
  say(`asking ${repository.remote} for its tags`)
  const refs = await readRemoteRefs(repository, end)
  requireGoing(end)
  return { source: chooseTag(repository, refs, request), refs }
}

/** Returns the name of the version once it is complete and checked; undefined if it is the one that is installed. */
async function prepareVersion(source: Source, config: Config, steps: Steps): Promise<string | undefined> {
  const { cloneFolder } = config
  const versions = getVersionsFolder(cloneFolder)
  for (const name of listNames(versions).filter(each => each.startsWith(STAGE_PREFIX)))
    await removeStage(path.join(versions, name))
  requireRoom(config)
  const stage = path.join(versions, `${STAGE_PREFIX}${randomBytes(4).toString('hex')}`)
  fs.mkdirSync(stage)
  try {
    steps.say(`${source.kind === 'tag' ? 'fetching' : 'unpacking'} ${describeSource(source)}`)
    const code = path.join(stage, 'code')
    const name = await bringCode(source, code, steps.end)
    if (name === readVersionChoice(cloneFolder).current) return undefined
    requireGoing(steps.end)
    const folder = getVersionFolder(cloneFolder, name)
    const isThere = fs.existsSync(folder) // It was installed before, and is complete.
    if (!isThere) await installDependencies(code, config, steps)
    const checked = isThere ? folder : code
    await rehearseVersion(checked, stage, config, steps)
    await requireReadable(checked, steps)
    requireGoing(steps.end)
    if (!isThere) {
      await writeToDisk() // Or a power failure could leave it half empty under its final name.
      fs.renameSync(code, folder)
    }
    return name
  } finally {
    await removeStage(stage)
  }
}
