import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DispatchError, exitCodes, isErrno } from './error.ts'
import { runProgram } from './exec.ts'
import { makePrivateFolder } from './fs/files.ts'

/**
 * Make sure that this process and its children have a folder for temporary files. If TMPDIR cannot be used, it is set to
 * /tmp, or to a folder of DISPATCH_HOME. Returns what a person should know then. Exit 10 if no folder can be used.
 */
export function useTempFolder(): string | undefined {
  const folder = os.tmpdir()
  const problem = findAccessProblem(folder)
  if (problem === undefined) return undefined
  const other = ['/tmp', createOwnFolder()].find(place => place !== undefined && findAccessProblem(place) === undefined)
  if (other === undefined)
    throw new DispatchError(
      `there is no folder for temporary files: ${describeUnusable([...new Set([folder, '/tmp'])])}`,
      {
        exitCode: exitCodes.storage,
        remedy: 'Set TMPDIR to a folder on a disk that you can write.',
      },
    )
  process.env['TMPDIR'] = other
  return `TMPDIR: ${folder} ${problem}, so ${other} is used`
}

/**
 * Prefer a folder for temporary files in which programs can be executed: a hardened machine may mount /tmp without. Returns
 * what a person should know if another one is used. Without such a folder nothing changes.
 */
export async function useExecutableTempFolder(): Promise<string | undefined> {
  const notice = useTempFolder()
  const folder = os.tmpdir()
  if (await canExecuteIn(folder)) return notice
  const other = createOwnFolder()
  if (other === undefined || !(await canExecuteIn(other))) return notice
  process.env['TMPDIR'] = other
  return `this machine does not execute programs in ${folder}, so ${other} is used for temporary files`
}

/**
 * Where the home of a check is made. The folder for temporary files of macOS has 57 bytes in its path, and a socket in a folder below it
 * would have a longer path than the 103 bytes that are possible.
 */
export function getScratchRoot(platform: NodeJS.Platform = process.platform, folder = os.tmpdir()): string {
  return platform === 'darwin' && folder.startsWith('/var/folders/') ? '/tmp' : folder
}

/** Does this machine execute a program in this folder? Tried with a small one. */
export async function canExecuteIn(folder: string): Promise<boolean> {
  const program = nameProbe(folder)
  try {
    fs.writeFileSync(program, '#!/bin/sh\n', { mode: 0o700, flag: 'wx' })
    const { startError = '' } = await runProgram(program, [], { env: {} })
    return !['EACCES', 'EPERM'].includes(startError)
  } catch {
    return true // It cannot be tried.
  } finally {
    fs.rmSync(program, { force: true })
  }
}

/** Why nothing more can be written in this folder: its disk is full, the quota is used up, or it is read-only. */
export function findWriteProblem(folder: string): string | undefined {
  const file = nameProbe(folder)
  try {
    fs.writeFileSync(file, Buffer.alloc(PROBE_BYTES), { flag: 'wx' })
    return undefined
  } catch (error) {
    if (isErrno(error, 'ENOSPC')) return 'the disk is full'
    if (isErrno(error, 'EDQUOT')) return 'the disk quota is used up'
    return isErrno(error, 'EROFS') ? 'the file system is read-only' : undefined
  } finally {
    try {
      fs.rmSync(file, { force: true })
    } catch {} // A read-only file system.
  }
}

// --- internal ---

const PROBE_BYTES = 1024 * 1024

/** A name that cannot be guessed: others may put a link into the folder. */
function nameProbe(folder: string): string {
  return path.join(folder, `dispatch-probe-${randomBytes(8).toString('hex')}`)
}

function describeUnusable(folders: string[]): string {
  return folders.map(folder => `${folder} ${findAccessProblem(folder)}`).join(', ')
}

function findAccessProblem(folder: string): string | undefined {
  try {
    if (!fs.statSync(folder).isDirectory()) return 'is not a folder'
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK)
    return undefined
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 'does not exist'
    if (isErrno(error, 'EROFS')) return 'is read-only'
    return 'cannot be written by this user'
  }
}

/** `tmp` in DISPATCH_HOME; undefined if it cannot be created. */
function createOwnFolder(): string | undefined {
  const home = process.env['DISPATCH_HOME'] || path.join(os.homedir(), '.claude-dispatch')
  const folder = path.join(path.resolve(home), 'tmp')
  try {
    makePrivateFolder(folder)
    return folder
  } catch {
    return undefined
  }
}
