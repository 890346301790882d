import fs from 'node:fs'
import path from 'node:path'
import { type Config, prepareHome } from '#host/config'
import { DispatchError } from '#host/error.ts'
import { detectFileSystem } from '#host/fs'
import { type DoctorResult, fail, ok, warn } from './result.ts'

/** DISPATCH_HOME: can dispatch write there, is there space, and is it on a local disk? */
export async function checkHome(config: Config): Promise<DoctorResult[]> {
  try {
    prepareHome(config)
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error
    return [fail('home', error.message, error.remedy)]
  }
  return [
    checkSpace(config.home),
    ...(await checkFileSystem(config.home)),
    ...checkPermissions(path.join(config.home, '.env')),
  ]
}

// --- internal ---

const MEBIBYTE_BYTES = 1024 * 1024
const MIN_FREE_BYTES = 100 * MEBIBYTE_BYTES
const COMFORTABLE_FREE_BYTES = 2048 * MEBIBYTE_BYTES

function checkSpace(home: string): DoctorResult {
  const { bavail, bsize } = fs.statfsSync(home)
  const freeBytes = bavail * bsize
  const message = `${home}, ${formatSpace(freeBytes)} free`
  const fix = `Free some space: \`dispatch rm\` removes sessions that you no longer need`
  if (freeBytes < MIN_FREE_BYTES) return fail('home', message, fix)
  return freeBytes < COMFORTABLE_FREE_BYTES ? warn('home', message, fix) : ok('home', message)
}

function formatSpace(bytes: number): string {
  return bytes < 1024 * MEBIBYTE_BYTES
    ? `${Math.floor(bytes / MEBIBYTE_BYTES)} MiB`
    : `${(bytes / MEBIBYTE_BYTES / 1024).toFixed(1)} GiB`
}

async function checkFileSystem(home: string): Promise<DoctorResult[]> {
  const { isNetwork, kind } = await detectFileSystem(home)
  if (!isNetwork) return []
  return [
    warn(
      'disk',
      `DISPATCH_HOME is on a network file system (${kind}), where locks and file watching are unreliable`,
      'Set DISPATCH_HOME to a folder on a local disk',
    ),
  ]
}

function checkPermissions(file: string): DoctorResult[] {
  const mode = fs.statSync(file, { throwIfNoEntry: false })?.mode ?? 0
  return (mode & 0o077) === 0
    ? []
    : [warn('secrets', `other users of this machine can read ${file}`, `\`chmod 600 ${file}\``)]
}
