import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { copyVariables } from '../config/environment.ts'
import { DispatchError, exitCodes, isErrno } from '../error.ts'
import { readPlaceTag } from '../process/place.ts'
import { removeStaleSandboxes, SOCKET_FOLDER_PREFIX } from './lifecycle.ts'
import { isUnder, type SandboxPolicy } from './policy.ts'

/** Create the folder for the sockets and the filter of one sandbox. The name contains the place and the pid of its owner. */
export function createSocketFolder(): string {
  const tempFolder = Buffer.byteLength(os.tmpdir()) <= MAX_SOCKET_FOLDER_BYTES ? os.tmpdir() : '/tmp'
  removeStaleSandboxes(tempFolder)
  return fs.realpathSync(
    fs.mkdtempSync(path.join(tempFolder, `${SOCKET_FOLDER_PREFIX}${readPlaceTag()}-${process.pid}-`)),
  )
}

/** Create what a policy lets be written. Exit 13 when a part of it is a link, because an earlier agent may have created it. */
export function prepareWritablePaths(policy: SandboxPolicy): void {
  const protectedPaths = policy.protectedPaths.filter(place => fs.existsSync(path.dirname(place)))
  for (const place of [...policy.writablePaths, policy.tempFolder, ...protectedPaths]) prepareWritablePath(place)
}

/** The environment inside, built from empty; `environment` is that of the launcher. */
export function buildInnerEnvironment(
  { inheritedVariables, variables, toolFolders }: SandboxPolicy,
  environment = process.env,
): Record<string, string> {
  const inner = { ...copyVariables(inheritedVariables, environment), ...variables }
  const searchPath = [...toolFolders, inner['PATH'] ?? ''].filter(Boolean).join(path.delimiter)
  return { ...inner, ...(searchPath === '' ? {} : { PATH: searchPath }) }
}

/** PATH without relative folders, and without those that the policy lets be written: nothing from there runs outside. */
export function filterSearchPath(policy: SandboxPolicy, searchPath = process.env['PATH'] ?? ''): string {
  const writable = [...policy.writablePaths, policy.tempFolder, policy.folder, ...policy.toolFolders]
  return searchPath
    .split(path.delimiter)
    .filter(folder => path.isAbsolute(folder))
    .filter(folder => !writable.some(place => isUnder(findRealPath(folder) ?? folder, place)))
    .join(path.delimiter)
}

// --- internal ---

/** The name of a socket may have 107 bytes (`unix(7)`). Dispatch and the library add up to 63 to the folder. */
const MAX_SOCKET_FOLDER_BYTES = 44

function prepareWritablePath(place: string): void {
  let existing = place
  while (fs.lstatSync(existing, { throwIfNoEntry: false }) === undefined) existing = path.dirname(existing)
  const target = findRealPath(existing)
  if (target !== existing)
    throw new DispatchError(
      `${existing} is a link${target === undefined ? '' : ` to ${target}`}; the sandbox makes no link writable`,
      { exitCode: exitCodes.integrity, remedy: 'Remove the link, if you know what it is, and try again.' },
    )
  if (existing !== place) fs.mkdirSync(place, { recursive: true, mode: 0o700 })
}

/** The path without links; undefined when it does not exist. */
function findRealPath(place: string): string | undefined {
  try {
    return fs.realpathSync(place)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP')) return undefined
    throw error
  }
}
