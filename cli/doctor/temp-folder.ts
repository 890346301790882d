import os from 'node:os'
import { canExecuteIn, useExecutableTempFolder } from '#host/temp-folder.ts'
import { type DoctorResult, ok, warn } from './result.ts'

/** The folder for temporary files, in which checks run: can it be used, and do programs run there? */
export async function checkTempFolder(): Promise<DoctorResult> {
  const notice = await useExecutableTempFolder()
  if (notice !== undefined) return warn('temp', notice)
  if (await canExecuteIn(os.tmpdir())) return ok('temp', os.tmpdir())
  return warn(
    'temp',
    `this machine does not execute programs in ${os.tmpdir()}: a check that does so cannot run`,
    'Set TMPDIR to a folder on a disk that is not mounted with `noexec`.',
  )
}
