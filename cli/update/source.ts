import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { DispatchError, exitCodes } from '#host/error.ts'
import { readJson, toStorageError } from '#host/fs'
import { archiveTag, type RemoteRefs, type RemoteRepository } from '#host/git/remote'
import { sha256 } from '#host/hash.ts'
import { readArchivedCommit, unpackTar } from '#host/tar.ts'
import { UsageError } from '../command.ts'
import { findNewestRelease, isVersion } from './version-order.ts'

/** Where the code of another version comes from. */
export type Source =
  | { kind: 'tag'; tag: string; commit: string; repository: RemoteRepository }
  | { kind: 'tarball'; file: string }

/** The tag that is asked for, or else the newest release; undefined where none is newer than `installed`. Exit 4 for an unknown tag. */
export function chooseTag(
  repository: RemoteRepository,
  { tags }: RemoteRefs,
  { installed, wanted }: { installed: string; wanted: string | undefined },
): Source | undefined {
  const tag = wanted ?? findNewestRelease(tags.keys(), installed)
  if (tag === undefined) return undefined
  const commit = tags.get(tag)
  if (commit !== undefined) return { kind: 'tag', tag, commit, repository }
  throw new DispatchError(`the remote ${repository.remote} of ${repository.path} has no tag ${tag}`, {
    exitCode: exitCodes.notFound,
    remedy: 'To see what it has: git ls-remote --tags',
  })
}

/** A tarball of the user. Exit 2 if there is no such file. */
export function openTarball(file: string): Source {
  const absolute = path.resolve(file)
  if (fs.statSync(absolute, { throwIfNoEntry: false })?.isFile()) return { kind: 'tarball', file: absolute }
  throw new UsageError(`there is no file ${absolute}`, 'Name a tarball of dispatch, or nothing for the newest tag.')
}

/** The name of a source for a person. Pure. */
export function describeSource(source: Source): string {
  return source.kind === 'tag' ? source.tag : path.basename(source.file)
}

/**
 * Bring the code of a source into a new folder, without its dependencies. Returns the name of the version: `0.2.0-1a2b3c4d5e6f`, with
 * the beginning of its commit, or of the hash of the tarball. Exit 2 for anything else than dispatch.
 */
export async function bringCode(source: Source, folder: string, end?: AbortSignal): Promise<string> {
  const archive = source.kind === 'tag' ? `${folder}.tar` : source.file
  try {
    if (source.kind === 'tag') await archiveTag(source.repository, source, archive, end)
    unpackTar(archive, folder)
    const version = requireDispatch(folder, source)
    const commit = source.kind === 'tag' ? source.commit : readArchivedCommit(archive)
    return `${version}-${(commit ?? sha256(fs.readFileSync(archive))).slice(0, ID_CHARACTERS)}`
  } catch (error) {
    throw toStorageError(folder, error)
  } finally {
    if (source.kind === 'tag') fs.rmSync(archive, { force: true })
  }
}

// --- internal ---

const ID_CHARACTERS = 12

const PackageNames = z.looseObject({ name: z.string(), version: z.string() })

/** Returns the version in the package. */
function requireDispatch(folder: string, source: Source): string {
  const { name, version = '' } = PackageNames.safeParse(readJson(path.join(folder, 'package.json'))).data ?? {}
  const isDispatch = name === 'claude-dispatch' && fs.existsSync(path.join(folder, 'bin/dispatch'))
  const refuse = (reason: string) =>
    new UsageError(`${describeSource(source)} is not dispatch: ${reason}`, 'Nothing was changed.')
  if (!isDispatch) throw refuse('its package.json does not name claude-dispatch, or bin/dispatch is missing')
  if (!isVersion(version)) throw refuse(`its package.json has no version: "${version}"`)
  if (source.kind === 'tag' && isVersion(source.tag.slice(1)) && source.tag !== `v${version}`)
    throw refuse(`its package.json has the version ${version}`)
  return version
}
